package pebblestore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// TestDedupFilter repeats messages from before the ledger was opened, and from after, while the filter is being filled
// and when it is whole: each is known again, and most that were never sent are known not to have been.
func TestDedupFilter(t *testing.T) {
	const count = 1000
	fs := vfs.NewMem()
	send := func(s *Store, n int) *ws.Send {
		op := &ws.Send{To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", MsgID: fmt.Sprintf("m-%d", n), CreatedAt: 1}}
		require.NoError(t, s.Commit(context.Background(), []ws.Op{op}))
		require.NoError(t, op.Err)
		return op
	}
	s := mustOpenTiny(t, fs)
	for n := range count {
		require.False(t, send(s, n).Duplicate)
	}
	require.NoError(t, s.Close())

	s = mustOpenTiny(t, fs)
	for n := range 100 {
		require.True(t, send(s, n).Duplicate, "message %d, early", n)
	}
	require.False(t, send(s, count).Duplicate)
	require.Eventually(t, s.filter.whole.Load, patience, time.Millisecond)
	for n := range count + 1 {
		require.True(t, send(s, n).Duplicate, "message %d", n)
	}
	mistaken := 0
	for n := range count {
		if !s.filter.never(dedupKey(nil, 2, "alice", fmt.Sprintf("new-%d", n))) {
			mistaken++
		}
	}
	require.Less(t, mistaken, count/50)
}
