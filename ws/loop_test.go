package ws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestGateway_SixFrames(t *testing.T) {
	n := startNode(t, nil)
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")

	accepted := rose.send("jack", "hello", "m1")
	require.Equal(t, "hello", accepted.p.Message)
	require.Equal(t, uint64(1), accepted.p.Seq)
	require.False(t, accepted.p.Duplicate)

	message := jack.expect(2)
	require.Equal(t, accepted.p.MessageID, message.MessageID)
	require.Equal(t, []string{"jack"}, message.To)
	require.Equal(t, "m1", message.p.MsgID)
	require.Equal(t, "hello", message.p.Message)
	require.Zero(t, message.p.PrevSeq)

	require.Equal(t, "m1", jack.ack("m1", "rose").p.Message)

	proof := rose.expect(17)
	require.Equal(t, accepted.p.MessageID, proof.p.MessageID)
	require.Equal(t, "m1", proof.p.MsgID)
	require.Equal(t, "web", proof.p.Device)
}

func TestGateway_Repeat(t *testing.T) {
	n := startNode(t, nil)
	n.known("jack")
	rose := n.connect("rose", "web")
	first := rose.send("jack", "hello", "m1")
	again := rose.send("jack", "hello", "m1")
	require.True(t, again.p.Duplicate)
	require.Equal(t, first.p.MessageID, again.p.MessageID)

	rose.sendOnly("jack", "something else", "m1")
	refused := rose.expect(500)
	require.Equal(t, "conflict", refused.p.Code)
	require.Equal(t, "m1", refused.p.MsgID)

	jack := n.connect("jack", "web")
	jack.expect(2)
	jack.ack("m1", "rose")
	rose.send("jack", "next", "m2")
	require.Equal(t, "next", jack.expect(2).p.Message, "the repeat was delivered as well")
}

func TestGateway_CatchUp(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.Window = 8; o.PageRecords = 3 })
	n.known("jack")
	rose := n.connect("rose", "web")
	const total = 100
	for i := range total {
		rose.send("jack", fmt.Sprint(i), fmt.Sprintf("m%d", i))
	}
	jack := n.connect("jack", "web")
	prev := uint64(0)
	for i := range total {
		m := jack.expect(2)
		require.Equal(t, uint64(i+1), m.p.Seq)
		require.Equal(t, prev, m.p.PrevSeq)
		prev = m.p.Seq
		jack.ack(m.p.MsgID, "rose")
	}
	for range total {
		rose.expect(17)
	}
	// What was acknowledged does not come again, and the place in the conversation is kept.
	require.NoError(t, jack.conn.Close())
	rose.send("jack", "later", "later")
	jack = n.connect("jack", "web")
	m := jack.expect(2)
	require.Equal(t, "later", m.p.Message)
	require.Equal(t, uint64(total), m.p.PrevSeq)
}

func TestGateway_AckOutOfOrder(t *testing.T) {
	n := startNode(t, nil)
	n.known("jack")
	rose := n.connect("rose", "web")
	for i := range 5 {
		rose.send("jack", fmt.Sprint(i), fmt.Sprintf("m%d", i))
	}
	jack := n.connect("jack", "web")
	for range 5 {
		jack.expect(2)
	}
	jack.ack("m1", "rose")
	jack.ack("m3", "rose")
	require.NoError(t, jack.conn.Close())

	jack = n.connect("jack", "web")
	for _, want := range []struct{ seq, prev uint64 }{{1, 0}, {3, 2}, {5, 4}} {
		m := jack.expect(2)
		require.Equal(t, want.seq, m.p.Seq)
		require.Equal(t, want.prev, m.p.PrevSeq)
	}
	// An acknowledgement of what an earlier connection showed counts as well.
	jack.ack("m0", "rose")
	jack.ack("m2", "rose")
	jack.ack("m4", "rose")
	for range 5 {
		rose.expect(17)
	}
}

func TestGateway_AckUpTo(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.Window = 4; o.PageRecords = 2 })
	n.known("jack")
	rose := n.connect("rose", "web")
	var conversation string
	for i := range 20 {
		conversation = rose.send("jack", fmt.Sprint(i), fmt.Sprintf("m%d", i)).p.ConversationID
	}
	jack := n.connect("jack", "web")
	jack.expect(2)
	jack.write(`{"type":15,"id":7,"params":{"from":"client","conversationId":"` + conversation + `","upTo":15}}`)
	acked := jack.expect(16)
	require.Equal(t, uint64(15), acked.p.UpTo)
	require.InDelta(t, 7, acked.ID, 0)
	for range 15 {
		rose.expect(17)
	}
	for {
		if m := jack.expect(2); m.p.Seq == 16 {
			break
		} else {
			require.LessOrEqual(t, m.p.Seq, uint64(4), "acknowledged before it was pushed, and pushed all the same")
		}
	}
	jack.write(`{"type":15,"params":{"conversationId":"` + conversation + `","upTo":21}}`)
	refused := jack.expect(500)
	require.Equal(t, "bad_field", refused.p.Code)
}

func TestGateway_ForgedAck(t *testing.T) {
	n := startNode(t, nil)
	rose, jack, eve := n.connect("rose", "web"), n.connect("jack", "web"), n.connect("eve", "web")
	id := rose.send("jack", "secret", "m1").p.MessageID
	for name, forge := range map[string]func() string{
		"a stranger by messageId": func() string { eve.ackOnly(id, "rose"); return eve.expect(500).p.Code },
		"a stranger by msgid":     func() string { eve.ackOnly("m1", "rose"); return eve.expect(500).p.Code },
		"the sender itself":       func() string { rose.ackOnly(id, "rose"); return rose.expect(500).p.Code },
		"what was never sent":     func() string { jack.ackOnly("m2", "rose"); return jack.expect(500).p.Code },
	} {
		require.Equal(t, "not_addressed", forge(), name)
	}
	eve.write(`{"type":15,"params":{"msgid":"m1","fromUser":"rose","toUser":"jack"}}`)
	require.Equal(t, "identity_mismatch", eve.expect(500).p.Code)
	life, err := n.gateway.Message(t.Context(), "rose", mustID(t, id))
	require.NoError(t, err)
	require.Equal(t, "stored", life.State)
	_, err = n.gateway.Message(t.Context(), "eve", mustID(t, id))
	require.ErrorIs(t, err, ws.ErrNotFound)
}

func mustID(t testing.TB, text string) ws.MessageID {
	t.Helper()
	id, ok := protocol.ParseMessageID(text)
	require.True(t, ok)
	return id
}

func TestGateway_Devices(t *testing.T) {
	n := startNode(t, nil)
	rose := n.connect("rose", "web")
	phone := n.connect("rose", "phone")
	web, tablet := n.connect("jack", "web"), n.connect("jack", "tablet")
	rose.send("jack", "hello", "m1")
	for _, c := range []*client{web, tablet} {
		c.expect(2)
		c.ack("m1", "rose")
		rose.expect(17)
		phone.expect(17)
	}
	copied := phone.expect(2)
	require.Equal(t, []string{"rose"}, copied.To)
	require.Contains(t, string(copied.p.ToUser), `"openid":"jack"`)
	phone.ack("m1", "rose")

	// A device that is new gets what no device has had, and no more.
	rose.send("jack", "second", "m2")
	web.expect(2)
	tablet.expect(2)
	require.NoError(t, web.conn.Close())
	fresh := n.connect("jack", "fresh")
	m := fresh.expect(2)
	require.Equal(t, "second", m.p.Message)
	require.Zero(t, m.p.PrevSeq)
}

func TestGateway_Replaced(t *testing.T) {
	n := startNode(t, nil)
	old := n.connect("jack", "web")
	n.connect("jack", "web")
	code, _ := old.closed()
	require.Equal(t, protocol.CloseReplaced, code)
}

func TestGateway_Resend(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ResendAfter = 60 * time.Millisecond })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.send("jack", "hello", "m1")
	require.False(t, jack.expect(2).p.Redelivered)
	require.True(t, jack.expect(2).p.Redelivered)
	jack.ack("m1", "rose")
	rose.expect(17)
	life, err := n.gateway.Message(t.Context(), "", mustID(t, rose.send("jack", "hello", "m1").p.MessageID))
	require.NoError(t, err)
	require.GreaterOrEqual(t, life.Recipients[0].Devices[0].Pushes, uint32(2))
}

func TestGateway_AcksNothing(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ResendAfter = 30 * time.Millisecond; o.Resends = 2 })
	n.known("jack")
	rose := n.connect("rose", "web")
	rose.send("jack", "hello", "m1")
	var waits []int
	for range 2 {
		jack := n.connect("jack", "web")
		code, reason := jack.closed()
		require.Equal(t, protocol.CloseAcksNothing, code)
		var hint struct{ RetryAfterMs int }
		require.NoError(t, json.Unmarshal([]byte(reason), &hint))
		waits = append(waits, hint.RetryAfterMs)
	}
	require.Greater(t, waits[1], waits[0])
}

func TestGateway_OneMessageCannotBeDigested(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ResendAfter = 30 * time.Millisecond; o.Resends = 2; o.Window = 4 })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.send("jack", "poison", "poison")
	for i := range 30 {
		rose.send("jack", fmt.Sprint(i), fmt.Sprintf("m%d", i))
	}
	seen := map[string]bool{}
	for len(seen) < 30 {
		m := jack.expect(2)
		if m.p.MsgID == "poison" {
			continue
		}
		if !seen[m.p.MsgID] {
			seen[m.p.MsgID] = true
			time.Sleep(5 * time.Millisecond) // slower than the resends of the one that is not acknowledged
		}
		jack.ackOnly(m.p.MsgID, "rose")
	}
	require.NoError(t, jack.conn.Close())
	jack = n.connect("jack", "web")
	require.Equal(t, "poison", jack.expect(2).p.MsgID, "it rests until the next session")
}

func TestGateway_Sync(t *testing.T) {
	n := startNode(t, nil)
	n.known("jack")
	rose := n.connect("rose", "web")
	first := rose.send("jack", "one", "m1").p
	second := rose.send("jack", "two", "m2").p
	third := rose.send("jack", "three", "m3").p
	require.NoError(t, rose.conn.Close())

	jack := n.connect("jack", "web")
	for range 3 {
		jack.expect(2)
	}
	jack.write(fmt.Sprintf(`{"type":28,"id":"s","params":{"conversations":{"%s":2,"%016x":1}}}`, first.ConversationID, 99))
	done := jack.expect(29)
	require.Equal(t, "s", done.ID)
	require.Len(t, done.p.Errors, 1)
	require.Equal(t, "not_addressed", done.p.Errors[0].Code)

	rose = n.connect("rose", "web")
	unknown := ws.MessageID{Conversation: 77, Seq: 1}.String()
	rose.write(fmt.Sprintf(`{"type":28,"params":{"pending":["%s","%s","%s","%s"]}}`, first.MessageID, second.MessageID, third.MessageID, unknown))
	require.Equal(t, first.MessageID, rose.expect(17).p.MessageID)
	require.Equal(t, second.MessageID, rose.expect(17).p.MessageID)
	done = rose.expect(29)
	require.Equal(t, []string{third.MessageID}, done.p.Waiting)
	require.Equal(t, []string{unknown}, done.p.Gone)
	require.Equal(t, 2, done.p.Proofs)
}

func TestGateway_Recall(t *testing.T) {
	n := startNode(t, nil)
	n.known("jack")
	rose := n.connect("rose", "web")
	id := rose.send("jack", "a mistake", "m1").p.MessageID
	rose.send("jack", "right", "m2")
	rose.write(`{"type":30,"params":{"messageId":"` + id + `"}}`)
	rose.expect(30)
	jack := n.connect("jack", "web")
	m := jack.expect(2)
	require.Equal(t, "right", m.p.Message)
	require.Zero(t, m.p.PrevSeq)
	recalled := jack.expect(31)
	require.Equal(t, id, recalled.p.Recalled)
	require.Equal(t, uint64(3), recalled.p.Seq)
	require.Equal(t, uint64(2), recalled.p.PrevSeq)

	old, _, err := n.dial("jack", "&device=old")
	require.NoError(t, err)
	old.write(`{"type":"20"}`)
	r, err := old.next()
	for err == nil && r.Msg != nil {
		require.Equal(t, 2, r.Msg.Type, "an old client knows no other record")
		r, err = old.next()
	}
	require.NoError(t, err)
	require.Equal(t, "pong", r.Type)
}

// Who reads a message elsewhere, or too late, has had it all the same, and its sender learns so.
func TestGateway_AckOfExpired(t *testing.T) {
	var later atomic.Int64
	store := wstest.NewMemStore()
	n := startNodeOn(t, store, func(o *ws.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	n.known("jack")
	rose := n.connect("rose", "web")
	sent, err := n.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "lunch?", TTL: time.Minute})
	require.NoError(t, err)
	id := sent.Results[0].MessageID.String()
	later.Store(int64(time.Hour))
	rose.send("jack", "dinner?", "m2")

	jack := n.connect("jack", "web")
	dinner := jack.expect(2)
	require.Equal(t, "dinner?", dinner.p.Message, "lunch is over")
	release := store.Hold()
	for range 2 { // the second one before the first is written
		jack.ackOnly(id, "")
	}
	time.Sleep(50 * time.Millisecond)
	release()
	for range 2 {
		require.Equal(t, id, jack.expect(16).p.Message)
	}
	require.Equal(t, id, rose.expect(17).p.MessageID)
	jack.ack(dinner.MessageID, "")
	require.Equal(t, dinner.MessageID, rose.expect(17).p.MessageID, "what was acknowledged twice is proved once")
	require.NoError(t, jack.conn.Close())

	again := n.connect("jack", "web")
	again.silent(2)
	again.ack(id, "")
	rose.silent(17)
}

func TestGateway_LedgerRefuses(t *testing.T) {
	store := wstest.NewMemStore()
	n := startNodeOn(t, store, nil)
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.send("jack", "before", "m1")
	jack.expect(2)
	store.FailCommits(ws.ErrUnavailable)
	rose.sendOnly("jack", "meanwhile", "m2")
	refused := rose.expect(500)
	require.Equal(t, "storage_unavailable", refused.p.Code)
	require.True(t, refused.p.Temporary)
	jack.ackOnly("m1", "rose")
	require.Eventually(t, func() bool { return n.gateway.Health(t.Context()).Status == "degraded" }, patience, time.Millisecond)
	store.FailCommits(nil)
	// The acknowledgement was kept: nobody has to repeat it.
	jack.expect(16)
	rose.expect(17)
	rose.send("jack", "meanwhile", "m2")
	require.Equal(t, "meanwhile", jack.expect(2).p.Message)
	require.Equal(t, "ok", n.gateway.Health(t.Context()).Status)
}

// Neither is one up to a position lost that is given while the ledger is away, to writes and reads.
func TestGateway_LedgerAway(t *testing.T) {
	store := wstest.NewMemStore()
	n := startNodeOn(t, &awayLedger{Store: store}, nil)
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.send("jack", "hello", "m1")
	got := jack.expect(2)
	store.FailCommits(ws.ErrUnavailable)
	n.store.(*awayLedger).away.Store(true)
	jack.write(fmt.Sprintf(`{"type":15,"id":"a","params":{"conversationId":%q,"upTo":%d}}`, got.p.ConversationID, got.p.Seq))
	jack.silent(500)
	store.FailCommits(nil)
	require.Equal(t, "a", jack.expect(16).ID)
	require.Equal(t, "m1", rose.expect(17).p.MsgID)
}

// awayLedger cannot say how far a conversation has come while it is away.
type awayLedger struct {
	ws.Store
	away atomic.Bool
}

func (l *awayLedger) Conversation(ctx context.Context, id ws.ConversationID) (ws.Conversation, error) {
	if l.away.Load() {
		return ws.Conversation{}, ws.ErrUnavailable
	}
	return l.Store.Conversation(ctx, id)
}

func TestGateway_Stop(t *testing.T) {
	n := startNode(t, nil)
	rose := n.connect("rose", "web")
	n.stop()
	code, _ := rose.closed()
	require.Equal(t, protocol.CloseRestart, code)
	_, response, err := n.dial("rose", "")
	require.Error(t, err)
	require.Nil(t, response, "the test server is closed")
}

// Who repeats a send after it was away learns that it arrived, although the proof went out while nobody was there.
func TestGateway_Proof_OfRepeat(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ProofEvery = 20 * time.Millisecond })
	jack, rose := n.connect("jack", "web"), n.connect("rose", "web")
	rose.send("jack", "hello", "m1")
	require.NoError(t, rose.conn.Close())
	require.Eventually(t, func() bool {
		sessions, err := n.gateway.Sessions(t.Context(), "rose")
		return err == nil && len(sessions) == 0
	}, patience, time.Millisecond)
	jack.ack(jack.expect(2).p.MsgID, "rose")

	rose = n.connect("rose", "web")
	require.True(t, rose.send("jack", "hello", "m1").p.Duplicate)
	require.Equal(t, "m1", rose.expect(17).p.MsgID)
}
