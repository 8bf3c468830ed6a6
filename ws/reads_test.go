package ws_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func (c *client) readUpTo(conversation string, seq int) {
	c.t.Helper()
	c.write(fmt.Sprintf(`{"type":25,"id":"r%d","params":{"conversationId":"%s","seq":%d}}`, seq, conversation, seq))
}

// silent fails if a frame of a kind comes before the answer to a ping that is sent now.
func (c *client) silent(kind int) {
	c.t.Helper()
	c.write(`{"type":"20"}`)
	var passed []reply
	for {
		r, err := c.next()
		require.NoError(c.t, err)
		if r.Type == "pong" {
			break
		}
		require.NotEqual(c.t, kind, r.kind(), "%s was told: %+v", c.user, r)
		passed = append(passed, r)
	}
	c.kept = append(passed, c.kept...)
}

func TestGateway_Read(t *testing.T) {
	n := startNode(t, nil)
	rose, jack, phone := n.connect("rose", "web"), n.connect("jack", "web"), n.connect("jack", "phone")
	eve := n.connect("eve", "web")
	old, _, err := n.dial("rose", "&device=old")
	require.NoError(t, err)
	for i := range 3 {
		rose.send("jack", fmt.Sprint(i), fmt.Sprintf("m%d", i))
	}
	conversation := jack.expect(2).p.ConversationID

	jack.readUpTo(conversation, 2)
	done := jack.expect(25)
	require.Equal(t, "r2", done.ID)
	require.Equal(t, uint64(2), done.p.Seq)
	require.Equal(t, conversation, done.p.ConversationID)
	for _, told := range []*client{rose, phone} {
		r := told.expect(26)
		require.Equal(t, "jack", r.p.User)
		require.Equal(t, uint64(2), r.p.Seq)
		require.Equal(t, conversation, r.p.ConversationID)
		require.Equal(t, []string{told.user}, r.To)
		require.Len(t, r.MessageID, 32)
		require.NotEmpty(t, r.SessionID)
	}
	jack.silent(26)
	old.silent(26)
	eve.silent(26)

	for _, seq := range []int{1, 2} {
		jack.readUpTo(conversation, seq)
		require.Equal(t, uint64(2), jack.expect(25).p.Seq, "it never goes back")
	}
	rose.silent(26)
	stays, err := n.store.Stays(t.Context(), mustID(t, conversation+"0000000000000001").Conversation, "jack")
	require.NoError(t, err)
	require.Equal(t, uint64(2), stays[0].Read)
}

func TestGateway_ReadRefused(t *testing.T) {
	store := wstest.NewMemStore()
	n := startNodeOn(t, store, nil)
	rose, jack, eve := n.connect("rose", "web"), n.connect("jack", "web"), n.connect("eve", "web")
	conversation := rose.send("jack", "hi", "m1").p.ConversationID
	jack.readUpTo(conversation, 2)
	refused := jack.expect(500)
	require.Equal(t, "bad_field", refused.p.Code)
	require.Equal(t, "seq", refused.p.Field)
	require.Equal(t, "r2", refused.ID)
	eve.readUpTo(conversation, 1)
	require.Equal(t, "not_member", eve.expect(500).p.Code)
	rose.silent(26)

	store.FailCommits(ws.ErrUnavailable)
	jack.readUpTo(conversation, 1)
	refused = jack.expect(500)
	require.Equal(t, "storage_unavailable", refused.p.Code)
	require.True(t, refused.p.Temporary)
	store.FailCommits(nil)
	require.Eventually(t, func() bool { // the ledger is tried again after a moment
		jack.readUpTo(conversation, 1)
		for {
			if r, err := jack.next(); err != nil || r.kind() == 500 {
				return false
			} else if r.kind() == 25 {
				return true
			}
		}
	}, patience, 50*time.Millisecond)
	require.Equal(t, uint64(1), rose.expect(26).p.Seq)
}

func TestCluster_Read(t *testing.T) {
	w := newTown(t)
	one, two, three := w.node(1, nil), w.node(2, nil), w.node(3, nil)
	rose, jack, phone := one.connect("rose", "web"), two.connect("jack", "web"), three.connect("jack", "phone")
	w.settled(3, "rose", "jack")
	rose.send("jack", "hi", "m1")
	conversation := jack.expect(2).p.ConversationID
	jack.readUpTo(conversation, 1)
	jack.expect(25)
	for _, told := range []*client{rose, phone} {
		r := told.expect(26)
		require.Equal(t, "jack", r.p.User)
		require.Equal(t, uint64(1), r.p.Seq)
		require.Equal(t, conversation, r.p.ConversationID)
	}
	jack.silent(26)
}
