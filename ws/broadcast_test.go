package ws_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// A broadcast reaches the sessions of every node, and proves itself to nobody.
func TestCluster_Broadcast(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, reconciling), w.node(2, reconciling)
	rose, jack, eve := one.connect("rose", "web"), one.connect("jack", "web"), two.connect("eve", "web")
	for i := range 3 {
		sent, err := one.gateway.Broadcast(t.Context(), ws.Draft{From: "rose", Body: fmt.Sprint(i), MsgID: fmt.Sprint("b", i)})
		require.NoError(t, err)
		require.Equal(t, []int{3, 3}, []int{sent.Users, sent.Accepted})
		for _, c := range []*client{rose, jack, eve} {
			got := c.expect(2)
			require.Equal(t, fmt.Sprint(i), got.p.Message)
			require.Equal(t, sent.MessageID.String(), got.MessageID)
			require.Equal(t, []string{c.user}, got.To)
			c.ack(got.p.MsgID, "rose")
		}
	}
	eve.ack("b1", "rose") // again, as after an answer that was lost
	rose.silent(17)
}

// Who is online on any node is found page by page, and written to once.
func TestCluster_BroadcastOnline(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, reconciling), w.node(2, reconciling)
	rose, jack, eve := one.connect("rose", "web"), one.connect("jack", "web"), two.connect("eve", "web")
	phone := two.connect("jack", "phone")
	w.settled(4, "rose", "jack", "eve")
	sent, err := two.gateway.BroadcastOnline(t.Context(), ws.Draft{From: "boss", Body: "hello"})
	require.NoError(t, err)
	require.Equal(t, []int{3, 3, 0}, []int{sent.Users, sent.Accepted, sent.Refused})
	for _, c := range []*client{rose, jack, eve, phone} {
		require.Equal(t, "hello", c.expect(2).p.Message)
		c.silent(2)
	}
}
