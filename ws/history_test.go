package ws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestGateway_History_Forbidden(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.Authorizer = strict{} })
	n.known("rose", "will")
	jack := n.connect("jack", "web")
	jack.send("rose", "1", "m1")
	jack.send("will", "1", "m2")
	view, err := n.gateway.ConversationWith(t.Context(), "rose", "jack")
	require.NoError(t, err)
	require.Equal(t, 1, view.Unread)
	require.Nil(t, view.LastMessage)
	_, _, err = n.gateway.History(t.Context(), "rose", view.ID, 0, 0, 10)
	var refusal *protocol.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, protocol.Forbidden, refusal.Code)
	for _, reader := range []string{"jack", ""} {
		items, _, err := n.gateway.History(t.Context(), reader, view.ID, 0, 0, 10)
		require.NoError(t, err, reader)
		require.Len(t, items, 1, reader)
	}
}

// renewedLedger is a ledger that began a new epoch: the positions of its conversations go on far above its records.
type renewedLedger struct {
	ws.Store
	reads int
}

const passedOver = 1 << 32

func (l *renewedLedger) Conversation(ctx context.Context, id ws.ConversationID) (ws.Conversation, error) {
	c, err := l.Store.Conversation(ctx, id)
	c.Last += passedOver
	return c, err
}

func (l *renewedLedger) FindConversation(ctx context.Context, kind ws.ConversationKind, key string) (ws.Conversation, error) {
	c, err := l.Store.FindConversation(ctx, kind, key)
	c.Last += passedOver
	return c, err
}

func (l *renewedLedger) Page(ctx context.Context, id ws.ConversationID, from, to uint64, maxCount, maxBytes int) ([]*ws.Record, error) {
	l.reads++
	return l.Store.Page(ctx, id, from, to, maxCount, maxBytes)
}

func TestGateway_History_NewEpoch(t *testing.T) {
	ledger := &renewedLedger{Store: wstest.NewMemStore()}
	n := startNodeOn(t, ledger, nil)
	n.known("jack")
	rose := n.connect("rose", "web")
	for i := range 7 {
		rose.send("jack", fmt.Sprint(i), fmt.Sprintf("m%d", i))
	}

	view, err := n.gateway.ConversationWith(t.Context(), "jack", "rose")
	require.NoError(t, err)
	require.NotNil(t, view.LastMessage)
	require.Equal(t, "6", view.LastMessage.Record.Body)
	require.Equal(t, 7, view.Unread)

	ledger.reads = 0
	var back, forth []string
	for before := uint64(0); ; {
		items, next, err := n.gateway.History(t.Context(), "jack", view.ID, before, 0, 3)
		require.NoError(t, err)
		for _, item := range items {
			back = append(back, item.Record.Body)
		}
		if before = next; next == 0 {
			break
		}
	}
	require.Equal(t, []string{"6", "5", "4", "3", "2", "1", "0"}, back)
	for after := uint64(ws.FromStart); ; {
		items, next, err := n.gateway.History(t.Context(), "jack", view.ID, 0, after, 3)
		require.NoError(t, err)
		for _, item := range items {
			forth = append(forth, item.Record.Body)
		}
		if after = next; next == 0 {
			break
		}
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6"}, forth)
	require.Less(t, ledger.reads, 50, "positions that are passed over are looked through one by one")
}

// weighedLedger notes the most bytes of bodies that one read has brought.
type weighedLedger struct {
	ws.Store
	most int
}

func (l *weighedLedger) Page(ctx context.Context, id ws.ConversationID, from, to uint64, maxCount, maxBytes int) ([]*ws.Record, error) {
	records, err := l.Store.Page(ctx, id, from, to, maxCount, maxBytes)
	bytes := 0
	for _, rec := range records {
		bytes += len(rec.Body)
	}
	if len(records) > 1 { // a read always brings one
		l.most = max(l.most, bytes)
	}
	return records, err
}

// longThread is a ledger on which rose has written to jack: many messages that are long, one beyond all bounds, and short ones.
func longThread(t *testing.T) (*weighedLedger, *node, []string) {
	t.Helper()
	ledger := &weighedLedger{Store: wstest.NewMemStore()}
	n := startNodeOn(t, ledger, func(o *ws.Options) { o.MaxBody = 4 << 20 })
	n.known("rose", "jack")
	var sent []string
	for i := range 90 {
		length := 60 << 10
		switch {
		case i == 40:
			length = 3 << 20
		case i > 80:
			length = 10
		}
		body := fmt.Sprint(i, strings.Repeat("x", length))
		result, err := n.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: body})
		require.NoError(t, err)
		require.Nil(t, result.Results[0].Err)
		sent = append(sent, body)
	}
	return ledger, n, sent
}

// A list of conversations counts what is unread without all of it in memory.
func TestGateway_Conversations_LongMessages(t *testing.T) {
	ledger, n, sent := longThread(t)
	views, next, err := n.gateway.Conversations(t.Context(), "jack", 1, 200)
	require.NoError(t, err)
	require.Zero(t, next)
	require.Len(t, views, 1)
	require.Equal(t, len(sent), views[0].Unread)
	require.Equal(t, sent[len(sent)-1], views[0].LastMessage.Record.Body)
	require.LessOrEqual(t, ledger.most, 1<<20)
}

// A page of conversations ends where their last messages are too long together, and the next goes on there.
func TestGateway_Conversations_LongLastMessages(t *testing.T) {
	n := startNodeOn(t, wstest.NewMemStore(), nil)
	n.known("jack")
	body := strings.Repeat("x", 60<<10)
	const peers = 40
	for i := range peers {
		name := fmt.Sprint("peer", i)
		n.known(name)
		_, err := n.gateway.Send(t.Context(), ws.Draft{From: name, To: []string{"jack"}, Body: body})
		require.NoError(t, err)
	}
	found := make(map[string]bool)
	for after := ws.ConversationID(1); ; {
		views, next, err := n.gateway.Conversations(t.Context(), "jack", after, 200)
		require.NoError(t, err)
		require.NotEmpty(t, views)
		require.LessOrEqual(t, (len(views)-1)*len(body), 1<<20)
		for i := range views {
			found[views[i].Peer.OpenID] = true
		}
		if after = next; next == 0 {
			break
		}
	}
	require.Len(t, found, peers)
}

// A page of conversations also ends where too many messages are unread together: counting them is what it costs.
func TestGateway_Conversations_ManyUnread(t *testing.T) {
	n := startNodeOn(t, wstest.NewMemStore(), nil)
	n.known("jack")
	const peers, each = 30, 1000
	for i := range peers {
		name := fmt.Sprint("peer", i)
		n.known(name)
		var ops []ws.Op
		for range each {
			ops = append(ops, &ws.Send{To: "jack", Record: ws.Record{Kind: ws.KindMessage, Sender: name, Body: "x", CreatedAt: 1}})
		}
		require.NoError(t, n.store.Commit(t.Context(), ops))
	}
	found, pages := 0, 0
	for after := ws.ConversationID(1); ; pages++ {
		views, next, err := n.gateway.Conversations(t.Context(), "jack", after, 200)
		require.NoError(t, err)
		scanned := 0
		for i := range views {
			require.Equal(t, each, views[i].Unread)
			scanned += views[i].Scanned
		}
		require.LessOrEqual(t, scanned, 21_000)
		found += len(views)
		if after = next; next == 0 {
			break
		}
	}
	require.Equal(t, peers, found)
	require.Equal(t, 1, pages)
}

// A page of history is as long as its bodies allow; nothing is left out, whichever way it is read.
func TestGateway_History_LongMessages(t *testing.T) {
	ledger, n, sent := longThread(t)
	view, err := n.gateway.ConversationWith(t.Context(), "jack", "rose")
	require.NoError(t, err)
	read := func(before, after uint64) (found []string) {
		for pages := 1; ; pages++ {
			items, next, err := n.gateway.History(t.Context(), "jack", view.ID, before, after, 200)
			require.NoError(t, err)
			require.NotEmpty(t, items)
			held := 0
			for i := range items {
				held += len(items[i].Record.Body)
				found = append(found, items[i].Record.Body)
			}
			require.True(t, held <= 1<<20 || len(items) == 1, "%d items of %d bytes", len(items), held)
			if next == 0 {
				require.Less(t, pages, 20, "pages are much shorter than they may be")
				return found
			}
			if before = next; after != 0 {
				before, after = 0, next
			}
		}
	}
	back := read(0, 0)
	slices.Reverse(back)
	require.True(t, slices.Equal(sent, back), "the newest first")
	require.True(t, slices.Equal(sent, read(0, ws.FromStart)), "the oldest first")
	require.LessOrEqual(t, ledger.most, 1<<20)
}
