package ws_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// countingListener counts what its connections write.
type countingListener struct {
	net.Listener
	writes atomic.Int64
}

type countingConn struct {
	*net.TCPConn
	writes *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{TCPConn: conn.(*net.TCPConn), writes: &l.writes}, nil
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.TCPConn.Write(p)
}

func TestGateway_Connect_GreetsInOneWrite(t *testing.T) {
	n := startNode(t, nil)
	server := httptest.NewUnstartedServer(http.HandlerFunc(n.serve))
	counting := &countingListener{Listener: server.Listener}
	server.Listener = counting
	server.Start()
	t.Cleanup(server.Close)
	at := "ws" + strings.TrimPrefix(server.URL, "http") + "/?user=rose"

	old, _, err := websocket.DefaultDialer.DialContext(t.Context(), at, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = old.Close() })
	require.EqualValues(t, 1, counting.writes.Load(), "an old client is told nothing, so its 101 waits for nothing")

	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), at+"&device=web&v=1", nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, hello, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Contains(t, string(hello), `"type":33`)
	require.EqualValues(t, 2, counting.writes.Load(), "the 101 and the hello are two writes")
}

// What queues up leaves in one write, each as a message of its own, however long it is.
func TestGateway_FramesOfEveryLength(t *testing.T) {
	n := startNode(t, func(o *ws.Options) {
		o.MaxBody, o.FrameBytes, o.Window, o.WindowBytes = 1<<20, 1<<20, 64, 8<<20
		o.ResendAfter = time.Hour // nothing comes later that a frame could be waiting for
	})
	n.known("jack")
	rose := n.connect("rose", "web")
	var bodies []string
	for i, length := range []int{1, 64<<10 + 1, 100, 1 << 10, 10, 200 << 10, 2} {
		bodies = append(bodies, strings.Repeat("x", length))
		rose.send("jack", bodies[i], fmt.Sprint(i))
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(n.serve))
	counting := &countingListener{Listener: server.Listener}
	server.Listener = counting
	server.Start()
	t.Cleanup(server.Close)
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/?user=jack&device=web", nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	jack := &client{t: t, conn: conn, user: "jack"}
	for _, body := range bodies {
		require.Equal(t, body, jack.expect(2).p.Message)
	}
	require.LessOrEqual(t, counting.writes.Load(), int64(8), "the 101, those before, between and behind the long ones, and these in two parts each")
}

// The deadline of a write is set only when the one in force will not do: one that is over never does.
func TestGateway_IdleForAWriteTimeout(t *testing.T) {
	const timeout = 100 * time.Millisecond
	n := startNode(t, func(o *ws.Options) { o.WriteTimeout = timeout })
	rose, will := n.connect("rose", "web"), n.connect("will", "web")
	time.Sleep(timeout)
	rose.write(`{"type":"20"}`)
	r, err := rose.next()
	require.NoError(t, err)
	require.Equal(t, "pong", r.Type)
	n.stop()
	for _, c := range []*client{rose, will} {
		code, _ := c.closed()
		require.Equal(t, protocol.CloseRestart, code, c.user)
	}
}

// brokenConn is a connection whose peer is gone when the handshake is answered.
type brokenConn struct{ net.Conn }

func (brokenConn) Write([]byte) (int, error) { return 0, net.ErrClosed }

type brokenWriter struct{ http.ResponseWriter }

func (w brokenWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return brokenConn{conn}, buffered, nil
}

// countedSessions is what a gauge of sessions would say.
type countedSessions struct {
	ws.NoMetrics
	now, lowest atomic.Int64
}

func (m *countedSessions) Session(delta int) {
	if now := m.now.Add(int64(delta)); now < m.lowest.Load() {
		m.lowest.Store(now)
	}
}

func TestGateway_Connect_PeerGoneDuringHandshake(t *testing.T) {
	var sessions countedSessions
	n := startNode(t, func(o *ws.Options) { o.Metrics = &sessions })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.serve(brokenWriter{w}, r) }))
	t.Cleanup(server.Close)
	for _, v := range []string{"", "&v=1"} {
		_, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/?user=rose"+v, nil)
		require.Error(t, err)
	}
	n.stop()
	require.Zero(t, sessions.now.Load())
	require.Zero(t, sessions.lowest.Load(), "a session that never was has ended")
}
