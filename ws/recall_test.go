package ws_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func (c *client) recall(messageID string) {
	c.t.Helper()
	c.write(`{"type":30,"id":"r","params":{"messageId":"` + messageID + `"}}`)
}

func TestGateway_RecallRefused(t *testing.T) {
	now := time.Now()
	n := startNode(t, func(o *ws.Options) {
		o.RecallWindow = time.Minute
		o.Clock = func() time.Time { return now }
	})
	rose, jack, eve := n.connect("rose", "web"), n.connect("jack", "web"), n.connect("eve", "web")
	id := rose.send("jack", "hello", "m1").p.MessageID
	jack.expect(2)
	refused := func(c *client, id, code string) {
		t.Helper()
		c.recall(id)
		r := c.expect(500)
		require.Equal(t, code, r.p.Code)
		require.Equal(t, "r", r.ID)
	}
	refused(jack, id, "forbidden")
	refused(eve, id, "not_found")
	refused(rose, id[:16]+"00000000000000ff", "not_found")
	jack.silent(31)

	late := startNodeOn(t, n.store, func(o *ws.Options) {
		o.RecallWindow = time.Minute
		o.Clock = func() time.Time { return now.Add(time.Minute + time.Second) }
	})
	refused(late.connect("rose", "web"), id, "conflict")
}

// A repeat is answered like the first, and tells nobody again.
func TestGateway_RecallTwice(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ExactTrigger = true })
	rose, laptop, jack := n.connect("rose", "web"), n.connect("rose", "laptop"), n.connect("jack", "web")
	id := rose.send("jack", "a mistake", "m1").p.MessageID
	jack.expect(2)
	for range 2 {
		rose.recall(id)
		require.Equal(t, id, rose.expect(30).p.MessageID)
	}
	for _, c := range []*client{jack, laptop} {
		recalled := c.expect(31)
		require.Equal(t, id, recalled.p.Recalled)
		require.Equal(t, "rose", recalled.p.By)
		require.Equal(t, 2, recalled.Trigger, "it came over a socket")
		c.silent(31)
	}
	rose.silent(31)
}

// An administrator's recall reaches the sender as well.
func TestGateway_RecallForced(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ExactTrigger = true })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	id := rose.send("jack", "a mistake", "m1").p.MessageID
	require.NoError(t, n.gateway.Recall(t.Context(), "service:support", true, mustID(t, id)))
	for _, c := range []*client{rose, jack} {
		recalled := c.expect(31)
		require.Equal(t, id, recalled.p.Recalled)
		require.Equal(t, "service:support", recalled.p.By)
		require.Equal(t, 1, recalled.Trigger)
	}
	view, err := n.gateway.ConversationWith(t.Context(), "jack", "rose")
	require.NoError(t, err)
	require.Zero(t, view.Unread, "there is nothing to read any more")
	require.Equal(t, "recalled", view.LastMessage.Kind)
}

func TestCluster_Recall(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	id := rose.send("jack", "a mistake", "m1").p.MessageID
	jack.expect(2)
	rose.recall(id)
	rose.expect(30)
	recalled := jack.expect(31)
	require.Equal(t, id, recalled.p.Recalled)
	jack.ack(recalled.MessageID, "")
	require.NoError(t, jack.conn.Close())
	rose.send("jack", "right", "m2")
	again := one.connect("jack", "web")
	next := again.expect(2)
	require.Equal(t, "right", next.p.Message, "neither the mistake nor the recall comes again")
}

// Where a node is told of the recall first, the message is not shown any more.
func TestCluster_RecallOvertakes(t *testing.T) {
	w := newTown(t)
	one := w.node(1, func(o *ws.Options) { o.Incarnation, o.EarlyWait = 7, time.Hour })
	rose, jack := one.connect("rose", "web"), one.connect("jack", "web")
	first := rose.send("jack", "hello", "m1")
	jack.expect(2)
	conversation := mustID(t, first.p.MessageID).Conversation
	ring := func(kind ws.RecordKind, seq, target uint64, body string) {
		bell := binary.BigEndian.AppendUint64([]byte{1}, 7)
		bell = append(bell, 2, byte(kind), 0, 1) // the kind of entry that a record is
		bell = binary.AppendUvarint(binary.AppendUvarint(bell, uint64(conversation)), seq)
		bell = append(bell, make([]byte, 16)...)
		for _, n := range []uint64{uint64(time.Now().UnixMilli()), 0, target} {
			bell = binary.AppendUvarint(bell, n)
		}
		for _, text := range []string{"rose", "phone", fmt.Sprint("m", seq), "n9", "", body, "jack", "Rose"} {
			bell = append(binary.AppendUvarint(bell, uint64(len(text))), text...)
		}
		bell = append(append(bell, 1, 4), "jack"...)
		require.NoError(t, w.broker.Open().Publish("n1", ws.LaneMessages, bell))
	}
	ring(ws.KindRecall, 3, 2, "")
	ring(ws.KindMessage, 2, 0, "a mistake")
	ring(ws.KindMessage, 4, 0, "right")
	require.Equal(t, protocol.MessageID{Conversation: conversation, Seq: 2}.String(), jack.expect(31).p.Recalled)
	require.Equal(t, "right", jack.expect(2).p.Message, "and not the mistake")
}

// slowPages is a ledger whose pages come late.
type slowPages struct {
	ws.Store
	read, release chan struct{}
}

func (s *slowPages) Page(ctx context.Context, id ws.ConversationID, from, to uint64, maxCount, maxBytes int) ([]*ws.Record, error) {
	page, err := s.Store.Page(ctx, id, from, to, maxCount, maxBytes)
	select {
	case s.read <- struct{}{}:
	case <-s.release:
	}
	<-s.release
	return page, err
}

// What was recalled while it was read is not shown.
func TestGateway_RecallDuringCatchUp(t *testing.T) {
	store := &slowPages{Store: wstest.NewMemStore(), read: make(chan struct{}), release: make(chan struct{})}
	n := startNodeOn(t, store, nil)
	rose := n.connect("rose", "web")
	_ = n.connect("jack", "web").conn.Close()
	id := rose.send("jack", "a mistake", "m1").p.MessageID
	jack := n.connect("jack", "web")
	<-store.read
	rose.recall(id)
	rose.expect(30)
	rose.send("jack", "nothing", "m2") // told to sessions after the recall
	close(store.release)
	require.Equal(t, "nothing", jack.expect(2).p.Message)
	require.Equal(t, id, jack.expect(31).p.Recalled)
}
