package pebblestore

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// mustOpen opens a small ledger that the test closes.
func mustOpen(tb testing.TB, fs vfs.FS) *Store {
	tb.Helper()
	s, err := Open(context.Background(), Options{Dir: "ledger", FS: fs, MemTableBytes: 1 << 20, CacheBytes: 1 << 20, FilterBytes: 64 << 10})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore_Secret(t *testing.T) {
	wstest.Secret(t, func(t *testing.T) func() ws.Store {
		fs := vfs.NewMem()
		return func() ws.Store { return mustOpen(t, fs) }
	})
}

func TestStore(t *testing.T) {
	wstest.Store(t, func(t *testing.T) ws.Store { return mustOpen(t, vfs.NewMem()) })
}
