package ws_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// Who connects again goes on with what was left, whether the old connection has ended or is replaced.
func TestGateway_FloodGoesOn(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FramesPerSecond, o.FrameBurst = 1e-3, 3 })
	n.known("jack")
	desk, web := n.connect("rose", "desk"), n.connect("rose", "web")
	refused := func(c *client) {
		t.Helper()
		c.sendOnly("jack", "x", "")
		p := c.expect(500).p
		require.Equal(t, "rate_limited", p.Code)
		require.Positive(t, p.RetryAfterMs)
		require.LessOrEqual(t, p.RetryAfterMs, 1_000_000, "one comes every thousand seconds")
	}
	for range 3 {
		web.send("jack", "x", "")
	}
	refused(web)

	require.NoError(t, web.conn.Close())
	require.Eventually(t, func() bool {
		sessions, err := n.gateway.Sessions(t.Context(), "rose")
		return err == nil && len(sessions) == 1
	}, patience, time.Millisecond)
	web = n.connect("rose", "web")
	refused(web)
	refused(n.connect("rose", "web"))

	desk.send("jack", "x", "")
	n.connect("rose", "phone").send("jack", "x", "")
}
