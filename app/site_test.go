package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws/wstest"
)

// promised is within which time other nodes see kicks, bans, revocations and who is there. A test fails for ten times that.
const promised = time.Second

// site is where the program runs, with its own development SSO. What is asked of near has to be seen at far, which is
// another node where there are two.
type site struct {
	near, far string
	admin     string // for operators, of near
	dir       string // of near's ledger
	sink      *sink
	scenes    int
}

// newSite starts the program once for each configuration.
func newSite(t *testing.T, configurations ...*configs.Config) *site {
	t.Helper()
	s := &site{sink: newSink()}
	for i, cfg := range configurations {
		forEverybody(cfg)
		server, _ := newServer(t, cfg, app.WithEventSink(s.sink))
		s.far = strings.TrimSuffix(server.URL(), "/")
		if i == 0 {
			s.near, s.admin, s.dir = s.far, "http://"+server.AdminAddr(), cfg.Store.Dir
		}
	}
	s.ready(t)
	return s
}

// newMounted is a site that is an application, with a bundle below a prefix that pages of another origin may call.
func newMounted(t *testing.T) *site {
	t.Helper()
	s, cfg := &site{sink: newSink()}, testConfig(t)
	forEverybody(cfg)
	cfg.Server.Origins = []string{"https://ours.example"}
	router := gin.New()
	router.UseRawPath = true
	server := httptest.NewUnstartedServer(router)
	cfg.Node.Advertise = server.Listener.Addr().String()
	bundle, err := app.New(cfg, app.WithDevSSO(), app.WithEventSink(s.sink), app.WithLogger(wstest.NewLog(t).Logger()))
	require.NoError(t, err)
	bundle.Mount(router.Group("/im"))
	bundle.MountAdmin(router.Group("/admin"))
	require.NoError(t, bundle.Start(t.Context()))
	server.Start()
	t.Cleanup(func() {
		require.NoError(t, bundle.Stop(context.Background()))
		server.Close()
	})
	s.near, s.far, s.admin = server.URL+"/im", server.URL+"/im", server.URL+"/admin"
	s.ready(t)
	return s
}

// forEverybody makes a configuration one under which everybody can try everything.
func forEverybody(cfg *configs.Config) {
	for scope, key := range serviceKeys {
		cfg.Auth.ServiceKeys = append(cfg.Auth.ServiceKeys, configs.ServiceKey{Name: scope, Key: key, Scopes: []string{strings.TrimPrefix(scope, "key-")}})
	}
	cfg.Events.MaxAttempts = 1
	cfg.Limits.RefusalsPerSecondPerIP = 0 // one address tries all that is refused
}

// ready waits until all that the nodes depend on is there.
func (s *site) ready(t *testing.T) {
	t.Helper()
	for _, node := range []string{s.near, s.far} {
		require.Eventually(t, func() bool {
			_, text := call(t, http.MethodGet, node+"/readyz", "", "")
			return strings.Contains(text, `"status":"ok"`)
		}, time.Minute, 20*time.Millisecond)
	}
}

// nodeID is the name of a node, which it has of its address where it was given no other.
func nodeID(base string) string {
	address, _, _ := strings.Cut(strings.TrimPrefix(base, "http://"), "/")
	return strings.NewReplacer(".", "-", ":", "-").Replace(address)
}

// serviceKeys are one for each scope.
var serviceKeys = map[string]string{"key-send": "the-key-that-sends", "key-read": "the-key-that-reads", "key-admin": "the-key-that-may-all"}

// sink takes the events for other systems, but not those about messages of people for whom it is full.
type sink struct {
	mu    sync.Mutex
	full  map[string]bool
	taken map[string]int // by sender
}

func newSink() *sink { return &sink{full: make(map[string]bool), taken: make(map[string]int)} }

func (k *sink) Send(_ context.Context, _, _ string, payload []byte) error {
	var event struct{ From string }
	if err := json.Unmarshal(payload, &event); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.full[event.From] {
		return errors.New("full")
	}
	k.taken[event.From]++
	return nil
}

func (k *sink) setFull(sender string, full bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.full[sender] = full
}

func (k *sink) takenOf(sender string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.taken[sender]
}
