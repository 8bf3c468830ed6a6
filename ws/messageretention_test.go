package ws_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// Messages that are old enough go, more of them than one commit removes; younger ones stay, and who was away gets them.
func TestGateway_MessageRetention(t *testing.T) {
	const old = 1100
	var later atomic.Int64
	began := time.Now()
	clock := func() time.Time { return began.Add(time.Duration(later.Load())) }
	n := startNode(t, func(o *ws.Options) {
		o.MessageRetention, o.ReconcileEvery, o.Clock = time.Second, 20*time.Millisecond, clock
	})
	jack := n.connect("jack", "web")
	require.NoError(t, jack.conn.Close())
	rose := n.connect("rose", "web")
	first := rose.send("jack", "old", "m1")
	var ops []ws.Op
	for range old {
		ops = append(ops, &ws.Send{To: "jack", Record: ws.Record{Kind: ws.KindMessage, Sender: "rose", Body: "old", CreatedAt: ws.Millis(clock().UnixMilli())}})
	}
	require.NoError(t, n.store.Commit(t.Context(), ops))
	later.Store(int64(900 * time.Millisecond))
	young := rose.send("jack", "young", "m2")
	later.Store(int64(1500 * time.Millisecond))
	id := mustID(t, first.p.MessageID).Conversation
	require.Eventually(t, func() bool {
		c, err := n.store.Conversation(t.Context(), id)
		require.NoError(t, err)
		return c.First == c.Last
	}, 2*patience, 50*time.Millisecond)

	again := n.connect("jack", "web")
	require.Equal(t, young.p.MessageID, again.expect(2).MessageID)
	repeat := rose.send("jack", "old", "m1")
	require.True(t, repeat.p.Duplicate)
	require.Equal(t, first.p.MessageID, repeat.p.MessageID)
	page, err := n.store.Page(t.Context(), id, 1, 0, 10, 1<<20)
	require.NoError(t, err)
	require.Len(t, page, 1)
}
