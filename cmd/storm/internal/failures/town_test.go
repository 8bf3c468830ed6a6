//go:build services

package failures

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/cmd/storm/internal/world"
	"github.com/yanlink/yanlink/deploy/services"
)

// patience is how long anything may take before a test gives up: no promise, only an end.
const patience = 2 * time.Minute

// shared is what all tests of this package stand on: those that strike it one after the other, then the rest side by side.
var shared struct {
	once     sync.Once
	err      error
	dir, bin string
	backends *world.Backends
	towns    atomic.Int32
}

// sideBySide is how many tests run at a time that strike nothing that is shared: they mostly wait.
const sideBySide = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := tearDown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func setUp() {
	shared.err = func() (err error) {
		if shared.dir, err = os.MkdirTemp("", "failures-"); err != nil {
			return err
		}
		if shared.bin, err = child.Build(context.Background(), shared.dir, false); err != nil {
			return err
		}
		shared.backends, err = world.StartBackends(context.Background(), mainStore(), shared.dir, io.Discard)
		return err
	}()
}

func tearDown() error {
	var err error
	if shared.backends != nil {
		err = shared.backends.Close()
	}
	if other.server != nil {
		err = errors.Join(err, other.server.Stop(context.Background()))
	}
	return errors.Join(err, os.RemoveAll(shared.dir))
}

// town is some nodes on the shared services.
type town struct {
	*testing.T
	*world.Backends
	sso   *world.SSO
	dir   string
	first int      // what the numbers of its nodes follow
	env   []string // settings of every node that is prepared from then on
	nodes []*child.Server
}

// newTown starts nodes. change, which may be nil, sets what the n-th node, from 1, finds elsewhere.
func newTown(t *testing.T, nodes int, change func(n int, a *world.Addresses)) *town {
	t.Helper()
	return found(t).raise(nodes, change)
}

func (w *town) raise(nodes int, change func(n int, a *world.Addresses)) *town {
	w.Helper()
	for n := range nodes {
		w.prepare(n+1, change)
	}
	for _, node := range w.nodes {
		require.NoError(w, node.Start(w.Context()))
	}
	for _, node := range w.nodes {
		w.ok(node)
	}
	return w
}

// found makes a town without nodes, for a test that has the services to itself.
func found(t *testing.T) *town {
	t.Helper()
	w := foundOne(t)
	require.NoError(t, w.FlushRedis(t.Context()), "the nodes of the town before had the same names")
	return w
}

// beside counts the towns that stand beside others.
var beside atomic.Int32

// foundBeside makes a town without nodes, for a test that strikes nothing that is shared, and runs beside others like it.
func foundBeside(t *testing.T) *town {
	t.Helper()
	t.Parallel()
	w := foundOne(t)
	w.first = 10 * int(beside.Add(1))
	return w
}

func foundOne(t *testing.T) *town {
	t.Helper()
	shared.once.Do(setUp)
	require.NoError(t, shared.err)
	sso, err := world.StartSSO(t.Context())
	require.NoError(t, err)
	w := &town{T: t, Backends: shared.backends, sso: sso, dir: fmt.Sprintf("%s/town%d", shared.dir, shared.towns.Add(1))}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Redis has:\n%s", w.registered())
		}
		for _, node := range w.nodes {
			if t.Failed() {
				t.Logf("the log of %s ends:\n%s", node.URL(), tail(node.Log()))
			}
			require.NoError(t, node.Leaks(world.TokenPrefix))
			require.NoError(t, node.Close())
		}
		require.NoError(t, sso.Close())
	})
	return w
}

// registered returns the nodes that Redis knows, and where it has users.
func (w *town) registered() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	client := redis.NewClient(&redis.Options{Addr: w.Redis.Addr, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	var text strings.Builder
	_, _ = fmt.Fprintln(&text, "nodes:", client.HGetAll(ctx, "yan_websocket_server"))
	for keys := client.Scan(ctx, 0, "yan_*client*", 1000).Iterator(); keys.Next(ctx); {
		if key := keys.Val(); strings.HasPrefix(key, "yan_client_") {
			_, _ = fmt.Fprintln(&text, client.HGetAll(ctx, key))
		} else {
			_, _ = fmt.Fprintln(&text, client.SMembers(ctx, key))
		}
	}
	return text.String()
}

// prepare adds a node that does not run yet.
func (w *town) prepare(n int, change func(n int, a *world.Addresses)) *child.Server {
	w.Helper()
	addresses := w.Addresses(w.sso)
	if change != nil {
		change(n, &addresses)
	}
	node, err := world.NewNode(shared.bin, w.dir, w.first+n, addresses, w.env...)
	require.NoError(w, err)
	w.nodes = append(w.nodes, node)
	return node
}

// down kills a service for as long as do takes, at least, and starts it again.
func (w *town) down(server *services.Server, do func()) {
	w.Helper()
	require.NoError(w, server.Kill())
	defer func() { require.NoError(w, server.Restart(context.Background())) }()
	do()
}

// frozen freezes a service for as long as do takes, at least.
func (w *town) frozen(server *services.Server, do func()) {
	w.Helper()
	require.NoError(w, server.Freeze())
	defer func() { require.NoError(w, server.Thaw()) }()
	do()
}

const tailBytes = 4000

func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tailBytes):])
}
