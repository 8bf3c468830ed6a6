package ws_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// timedStore is a ledger on a server with a clock.
type timedStore struct {
	ws.Store
	now ws.Millis
}

func (s timedStore) Time(context.Context) (ws.Millis, error) { return s.now, nil }

// A node whose clock is ahead goes by the database's: it stamps records by it, and removes what is old by it.
func TestGateway_ClockAhead(t *testing.T) {
	now := time.Date(2024, 1, 2, 10, 28, 12, 0, time.UTC)
	store := timedStore{wstest.NewMemStore(), ws.Millis(now.UnixMilli())}
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
