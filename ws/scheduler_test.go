package ws_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// ahead is a clock that runs ahead.
func ahead(by *atomic.Int64) func(*ws.Options) {
	return func(o *ws.Options) { o.Clock = func() time.Time { return time.Now().Add(time.Duration(by.Load())) } }
}

// Every node sends what is due, and each message is sent once; those to one recipient in the order of their times.
func TestCluster_Scheduled(t *testing.T) {
	const count = 300
	w := newTown(t)
	var clock atomic.Int64
	one, two := w.node(1, ahead(&clock)), w.node(2, ahead(&clock))
	one.known("rose")
	jack := two.connect("jack", "web")
	for i := range count {
		result, err := one.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: fmt.Sprint(i), Delay: time.Hour})
		require.NoError(t, err)
		require.NotNil(t, result.Results[0].Scheduled)
	}
	for _, user := range []string{"rose", "jack"} {
		list, _, err := one.gateway.Conversations(t.Context(), user, 0, 10)
		require.NoError(t, err)
		require.Empty(t, list, "nothing tells of it before its time")
	}
	early, err := one.gateway.ConversationWith(t.Context(), "jack", "rose")
	require.NoError(t, err)
	require.Zero(t, early.ID)
	clock.Store(int64(2 * time.Hour))
	seen := make(map[string]bool)
	for range count {
		got := jack.expect(2)
		require.False(t, seen[got.p.Message], "once")
		seen[got.p.Message] = true
		jack.ack(got.p.MsgID, "rose")
	}
	due, err := w.store.DueScheduled(t.Context(), 1<<60, count)
	require.NoError(t, err)
	require.Empty(t, due)
	view, err := two.gateway.ConversationWith(t.Context(), "jack", "rose")
	require.NoError(t, err)
	require.EqualValues(t, count, view.LastSeq)
}

// What a node was given another one sends.
func TestCluster_ScheduledOnANodeThatIsGone(t *testing.T) {
	w := newTown(t)
	var clock atomic.Int64
	one, two := w.node(1, ahead(&clock)), w.node(2, ahead(&clock))
	one.known("rose")
	jack := two.connect("jack", "web")
	_, err := one.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "later", Delay: time.Hour})
	require.NoError(t, err)
	require.NoError(t, one.gateway.Stop(t.Context()))
	clock.Store(int64(time.Hour))
	require.Equal(t, "later", jack.expect(2).p.Message)
}

// While the ledger refuses, delayed messages wait, and none is lost.
func TestScheduler_LedgerRefuses(t *testing.T) {
	w := newTown(t)
	var clock atomic.Int64
	n := startNodeOn(t, w.store, ahead(&clock))
	n.known("rose")
	jack := n.connect("jack", "web")
	_, err := n.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "later", Delay: time.Hour})
	require.NoError(t, err)
	w.store.FailCommits(ws.ErrUnavailable)
	clock.Store(int64(time.Hour))
	require.Eventually(t, func() bool { return n.gateway.Health(t.Context()).Status == "degraded" }, patience, time.Millisecond)
	w.store.FailCommits(nil)
	require.Equal(t, "later", jack.expect(2).p.Message)
}
