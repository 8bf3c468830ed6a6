//go:build services

package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// servers are what the tests run against.
var servers = []struct {
	driver string
	kind   services.Kind
}{{"mysql", services.MariaDB}, {"postgres", services.Postgres}}

// onEach runs a test on each server.
func onEach(t *testing.T, test func(t *testing.T, driver string, server services.Instance)) {
	for _, s := range servers {
		t.Run(string(s.kind), func(t *testing.T) {
			t.Parallel()
			test(t, s.driver, services.Shared(t, s.kind))
		})
	}
}

// fresh are the options for an empty database.
func fresh(tb testing.TB, driver string, server services.Instance) Options {
	tb.Helper()
	return Options{Driver: driver, DSN: server.DSN(server.NewDatabase(tb)), MaxConns: 4}
}

// mustOpen opens a ledger that the test closes.
func mustOpen(tb testing.TB, opt Options) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), opt)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore_Secret(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		wstest.Secret(t, func(t *testing.T) func() ws.Store {
			opt := fresh(t, driver, server)
			return func() ws.Store { return mustOpen(t, opt) }
		})
	})
}

func TestStore(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		wstest.Store(t, func(t *testing.T) ws.Store { return mustOpen(t, fresh(t, driver, server)) })
	})
}
