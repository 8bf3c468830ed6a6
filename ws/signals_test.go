package ws_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func (c *client) signal(to, signal string) {
	c.t.Helper()
	c.write(fmt.Sprintf(`{"type":27,"params":{"toMessageId":"%s","signal":"%s"}}`, to, signal))
}

// signalled returns the next signal: from whom, and what.
func (c *client) signalled() (from, signal string) {
	c.t.Helper()
	p := c.expect(27).p
	var user struct {
		OpenID      string `json:"openid"`
		LoginStatus string `json:"loginStatus"`
		UserName    string `json:"userName"`
	}
	require.NoError(c.t, json.Unmarshal(p.FromUser, &user))
	require.Equal(c.t, "1", user.LoginStatus)
	require.Equal(c.t, "name of "+user.OpenID, user.UserName)
	return user.OpenID, p.Signal
}

func TestGateway_Signal(t *testing.T) {
	store := wstest.NewMemStore()
	n := startNodeOn(t, store, nil)
	rose, laptop := n.connect("rose", "web"), n.connect("rose", "laptop")
	jack, phone := n.connect("jack", "web"), n.connect("jack", "phone")
	old, _, err := n.dial("jack", "&device=old")
	require.NoError(t, err)
	old.silent(27) // it is connected
	before := store.Batches()

	rose.signal("jack", "typing")
	for _, c := range []*client{jack, phone} {
		from, signal := c.signalled()
		require.Equal(t, []string{"rose", "typing"}, []string{from, signal})
	}
	old.silent(27)
	laptop.silent(27)
	rose.silent(27)
	require.Equal(t, before, store.Batches(), "it is stored nowhere")

	rose.write(`{"type":27,"id":"s","params":{"toMessageId":"nobody","signal":"typing"}}`)
	require.Equal(t, "s", rose.expect(27).ID)
	require.NoError(t, jack.conn.Close())
	rose.signal("jack", "recording")
	_, signal := phone.signalled()
	require.Equal(t, "recording", signal)
	jack = n.connect("jack", "web")
	jack.silent(27)

	rose.write(`{"type":27,"params":{"groupId":"g","signal":"typing"}}`)
	require.Equal(t, "unknown_group", rose.expect(500).p.Code)
}

func TestGateway_SignalLimited(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FramesPerSecond, o.FrameBurst = 1e-6, 3 })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	for range 4 {
		rose.signal("jack", "typing")
	}
	require.Equal(t, "rate_limited", rose.expect(500).p.Code)
	for range 3 {
		jack.signalled()
	}
	jack.silent(27)
}

// strict lets nobody write to jack, see him come and go, or read back what was said with him.
type strict struct{ ws.AllowAll }

func (strict) MaySend(_ context.Context, _, to string) error {
	if to == "jack" {
		return protocol.NewError(protocol.Forbidden, "jack wants to be left alone")
	}
	return nil
}

func (strict) MayWatch(_ context.Context, _, user string) bool { return user != "jack" }

func (strict) MayRead(_ context.Context, reader string, c *ws.Conversation) error {
	if c.Peer(reader) == "jack" {
		return protocol.NewError(protocol.Forbidden, "what jack said is gone")
	}
	return nil
}

func TestGateway_SignalForbidden(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.Authorizer = strict{} })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.signal("jack", "typing")
	require.Equal(t, "forbidden", rose.expect(500).p.Code)
	jack.silent(27)
}

func TestCluster_Signal(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, here, jack := one.connect("rose", "web"), one.connect("jack", "phone"), two.connect("jack", "web")
	w.settled(3, "rose", "jack")
	for i := range 50 {
		rose.signal("jack", fmt.Sprint("typing ", i))
	}
	for _, c := range []*client{jack, here} {
		for i := range 50 {
			from, signal := c.signalled()
			require.Equal(t, []string{"rose", fmt.Sprint("typing ", i)}, []string{from, signal})
		}
	}
}

// What the bus has kept for long is not told any more.
func TestCluster_SignalTooLate(t *testing.T) {
	w := newTown(t)
	one := w.node(1, func(o *ws.Options) { o.Incarnation = 7 })
	jack := one.connect("jack", "web")
	body := []byte{1, 0, 0, 0, 0, 0, 0, 0, 7}
	for i, ago := range []time.Duration{time.Minute, 11 * time.Second, 0} {
		body = append(body, 8) // the kind of entry that a signal is
		for _, text := range []string{"jack", "rose", "name of rose", fmt.Sprint("signal ", i)} {
			body = append(binary.AppendUvarint(body, uint64(len(text))), text...)
		}
		body = binary.AppendUvarint(body, uint64(time.Now().Add(-ago).UnixMilli()))
	}
	require.NoError(t, w.broker.Open().Publish("n1", ws.LaneNotices, body))
	_, signal := jack.signalled()
	require.Equal(t, "signal 2", signal)
}
