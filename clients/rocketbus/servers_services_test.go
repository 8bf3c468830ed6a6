//go:build services

package rocketbus_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/deploy/services"
)

// patience ends a test of what hangs. No promise is about time.
const patience = 2 * time.Minute

// servers are a name server and a broker.
type servers struct {
	names, broker *services.Server
}

// healthy is what all tests share that leave the servers as they found them: a broker takes half a minute of a small machine to
// start and to run beside the others.
var healthy struct {
	once sync.Once
	servers
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, server := range []*services.Server{healthy.broker, healthy.names} {
		if server != nil {
			_ = server.Stop(ctx)
		}
	}
	_ = os.RemoveAll(healthy.dir)
	os.Exit(code)
}

func shared(tb testing.TB) *servers {
	tb.Helper()
	healthy.once.Do(func() { healthy.err = startHealthy() })
	require.NoError(tb, healthy.err)
	return &healthy.servers
}

func startHealthy() (err error) {
	if healthy.dir, err = os.MkdirTemp("", "rocketbus"); err != nil {
		return err
	}
	spec := services.Spec{Kind: services.Namesrv, Dir: healthy.dir + "/names"}
	if healthy.names, err = services.Start(context.Background(), spec); err != nil {
		return err
	}
	spec = services.Spec{Kind: services.Broker, Dir: healthy.dir + "/broker", Namesrv: healthy.names.Addr}
	healthy.broker, err = services.Start(context.Background(), spec)
	return err
}

// ownServers are for a test that counts all that there is, wants another broker, or more lines in the broker's configuration. Such
// tests mostly wait, so they run side by side.
func ownServers(t *testing.T, more string) *servers {
	t.Helper()
	t.Parallel()
	names := services.MustStart(t, services.Spec{Kind: services.Namesrv})
	spec := services.Spec{Kind: services.Broker, Namesrv: names.Addr, More: more}
	return &servers{names: names, broker: services.MustStart(t, spec)}
}

// options are those of a bus on the servers.
func (s *servers) options() rocketbus.Options {
	return rocketbus.Options{NameServers: []string{s.names.Addr}}
}

// mustOpen opens a bus that the test closes.
func mustOpen(tb testing.TB, opt rocketbus.Options) *rocketbus.Bus {
	tb.Helper()
	bus, err := rocketbus.Open(opt)
	require.NoError(tb, err)
	tb.Cleanup(func() { mustClose(tb, bus) })
	return bus
}

func mustClose(tb testing.TB, bus *rocketbus.Bus) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := bus.Close(ctx); !errors.Is(err, context.Canceled) {
		require.NoError(tb, err)
	}
}

// until waits for what has to come true, and returns how long that took.
func until(tb testing.TB, what string, ok func() bool) time.Duration {
	tb.Helper()
	began := time.Now()
	for !ok() {
		require.Less(tb, time.Since(began), patience, "waiting in vain until %s", what)
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

// within returns what a call returns, which has to return.
func within[T any](tb testing.TB, what string, call func() T) T {
	tb.Helper()
	done := make(chan T, 1)
	go func() { done <- call() }()
	select {
	case result := <-done:
		return result
	case <-time.After(patience):
		require.FailNow(tb, what+" does not return")
		panic("unreachable")
	}
}
