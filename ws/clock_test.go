package ws_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// timedStore is a ledger on a server with a clock, which may not say what time it is.
type timedStore struct {
	ws.Store
	now  ws.Millis
	mute *atomic.Bool
	told *atomic.Int64
}

func (s timedStore) Time(context.Context) (ws.Millis, error) {
	s.told.Add(1)
	if s.mute.Load() {
		return 0, errors.New("no answer")
	}
	return s.now, nil
}

// A node whose clock is ahead goes by the database's: it stamps records by it, and removes what is old by it.
func TestGateway_ClockAhead(t *testing.T) {
	now := time.Date(2024, 1, 2, 10, 28, 12, 0, time.UTC)
	store := timedStore{wstest.NewMemStore(), ws.Millis(now.UnixMilli()), new(atomic.Bool), new(atomic.Int64)}
	age := func(d time.Duration) ws.Millis { return store.now - ws.Millis(d.Milliseconds()) }
	require.NoError(t, store.Commit(t.Context(), []ws.Op{
		&ws.PutUser{OpenID: "rose", At: age(3 * time.Hour)}, &ws.PutUser{OpenID: "jack", At: age(3 * time.Hour)},
		&ws.Send{To: "jack", Record: ws.Record{Kind: ws.KindMessage, Sender: "rose", Body: "old", CreatedAt: age(2 * time.Hour)}},
		&ws.Send{To: "jack", Record: ws.Record{Kind: ws.KindMessage, Sender: "rose", Body: "young", CreatedAt: age(time.Minute)}},
	}))
	n := startNodeOn(t, store, func(o *ws.Options) {
		o.MessageRetention, o.ReconcileEvery = time.Hour, 20*time.Millisecond
		o.Clock = func() time.Time { return now.Add(5 * time.Hour) }
	})
	rose := n.connect("rose", "web")
	accepted := rose.send("jack", "hello", "m1")
	sent, err := store.Record(t.Context(), mustID(t, accepted.p.MessageID))
	require.NoError(t, err)
	require.Equal(t, store.now, sent.CreatedAt)
	id := sent.Conversation
	require.Eventually(t, func() bool {
		c, err := store.Conversation(t.Context(), id)
		require.NoError(t, err)
		return c.First > 1
	}, patience, 10*time.Millisecond, "what is old goes")
	c, err := store.Conversation(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, 2, c.First, "what is young stays")
}

// What a clock that was wrong removes is gone: nothing is removed before the database has said what time it is, also when the clock goes
// wrong later.
func TestGateway_ClockGoesWrong(t *testing.T) {
	now := time.Date(2024, 1, 2, 10, 28, 12, 0, time.UTC)
	store := timedStore{wstest.NewMemStore(), ws.Millis(now.UnixMilli()), new(atomic.Bool), new(atomic.Int64)}
	var wrong atomic.Int64
	n := startNodeOn(t, store, func(o *ws.Options) {
		o.MessageRetention, o.ReconcileEvery = 100*time.Millisecond, 10*time.Millisecond
		o.Clock = func() time.Time { return now.Add(time.Duration(wrong.Load())) }
	})
	n.known("rose", "jack")
	result, err := n.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "young"})
	require.NoError(t, err)
	first := func() uint64 {
		c, err := store.Conversation(t.Context(), result.Results[0].MessageID.Conversation)
		require.NoError(t, err)
		return c.First
	}
	for _, mute := range []bool{true, false} {
		store.mute.Store(mute)
		wrong.Store(int64(5 * time.Hour))
		asked := store.told.Load()
		require.Eventually(t, func() bool { return store.told.Load() > asked+1 }, patience, time.Millisecond)
		require.EqualValues(t, 1, first(), "it stays")
	}
}
