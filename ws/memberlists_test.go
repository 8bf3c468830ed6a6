package ws_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// askedMembers is a ledger that counts how often it is asked who is in a conversation.
type askedMembers struct {
	ws.Store
	times atomic.Int32
}

func (a *askedMembers) Members(ctx context.Context, id ws.ConversationID) ([]ws.Stay, error) {
	a.times.Add(1)
	return a.Store.Members(ctx, id)
}

// What is found in the ledger of a group reaches its members, whom the ledger is asked for once for each change, and whoever has
// left by it.
func TestReconciler_Groups(t *testing.T) {
	w := newTown(t)
	ledger := &askedMembers{Store: w.store}
	two := w.nodeOn(ledger, 2, reconciling)
	two.known("rose")
	jack, will := two.connect("jack", "web"), two.connect("will", "web")
	commit := func(op ws.Op) {
		t.Helper()
		require.NoError(t, w.store.Commit(t.Context(), []ws.Op{op})) // as another node does, which rings nobody
		require.NoError(t, op.Result().Err)
	}
	record := func(kind ws.RecordKind, subject, body string) ws.Record {
		at := ws.Millis(time.Now().UnixMilli())
		return ws.Record{Kind: kind, Sender: "rose", Subject: subject, Body: body, MsgID: body, CreatedAt: at}
	}
	group := &ws.CreateGroup{Key: "g", By: "rose", Users: []string{"jack"}, Record: record(0, "", "")}
	commit(group)
	id := group.Conversation.ID
	write := func(body string, readers ...*client) {
		t.Helper()
		commit(&ws.Send{Group: id, Hash: 1, Record: record(ws.KindMessage, "", body)})
		for _, reader := range readers {
			require.Equal(t, body, reader.expect(2).p.Message)
		}
	}
	for i := range 5 {
		write(fmt.Sprint(i), jack)
	}
	require.Equal(t, int32(1), ledger.times.Load())

	commit(&ws.Change{Conversation: id, Record: record(ws.KindJoined, "will", "")})
	write("to both", jack, will)
	created, joined := jack.expect(32), jack.expect(32)
	require.Equal(t, uint64(1), created.p.Seq)
	require.Equal(t, uint64(7), joined.p.Seq)
	commit(&ws.Change{Conversation: id, Record: record(ws.KindLeft, "jack", "")})
	require.Equal(t, uint64(9), jack.expect(32).p.Seq)
	write("to will", will)
	require.Equal(t, int32(3), ledger.times.Load())
}
