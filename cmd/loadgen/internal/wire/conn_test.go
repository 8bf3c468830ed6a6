package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const timeout = 10 * time.Second

// serve runs handle for each connection to /ws of a server of the library that real servers use.
func serve(t *testing.T, handle func(*websocket.Conn)) (addr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != "good" {
			http.Error(w, "no such token", http.StatusUnauthorized)
			return
		}
		var upgrader websocket.Upgrader
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		handle(conn)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func mustDial(t *testing.T, addr string) *wire.Conn {
	t.Helper()
	conn, err := wire.Dial(context.Background(), addr, "good", "web", timeout)
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(timeout)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func echo(conn *websocket.Conn) {
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

func TestConn_CarriesFramesOfEveryLength(t *testing.T) {
	conn := mustDial(t, serve(t, echo))
	for _, size := range []int{0, 1, 125, 126, 127, 4095, 4096, 65535, 65536, 300_000} {
		text := strings.Repeat("y", size)
		conn.Append([]byte(text))
		require.NoError(t, conn.Flush())
		got, err := conn.Next()
		require.NoError(t, err)
		require.Equal(t, text, string(got))
	}
}

func TestConn_Batch(t *testing.T) {
	conn := mustDial(t, serve(t, echo))
	const sent = 500
	for i := range sent {
		conn.Append([]byte(strings.Repeat("z", i)))
	}
	require.NoError(t, conn.Flush())
	got := 0
	for got < sent {
		require.NoError(t, conn.Batch(func(b []byte) error {
			require.Len(t, b, got)
			got++
			return nil
		}))
	}
}

func TestConn_AnswersPings(t *testing.T) {
	ponged := make(chan string, 1)
	conn := mustDial(t, serve(t, func(c *websocket.Conn) {
		c.SetPongHandler(func(data string) error { ponged <- data; return nil })
		_ = c.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(timeout))
		_ = c.WriteMessage(websocket.TextMessage, []byte("text"))
		_, _, _ = c.ReadMessage()
	}))
	got, err := conn.Next()
	require.NoError(t, err)
	require.Equal(t, "text", string(got))
	require.Equal(t, "are you there", <-ponged)
}

func TestConn_SaysHowTheServerClosed(t *testing.T) {
	conn := mustDial(t, serve(t, func(c *websocket.Conn) {
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4409, "replaced"), time.Now().Add(timeout))
	}))
	_, err := conn.Next()
	var closed *wire.CloseError
	require.ErrorAs(t, err, &closed)
	require.Equal(t, wire.CloseError{Code: 4409, Reason: "replaced"}, *closed)
}

func TestDial_Refused(t *testing.T) {
	addr := serve(t, echo)
	_, err := wire.Dial(context.Background(), addr, "bad", "web", timeout)
	var refused *wire.StatusError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnauthorized, refused.Status)
	require.Contains(t, refused.Body, "no such token")
}

func TestLoopback(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:1", "127.9.9.9:80", "[::1]:80", "localhost:80", "[::ffff:127.0.0.1]:80"} {
		require.NoError(t, wire.Loopback(addr), addr)
	}
	for _, addr := range []string{"10.0.0.1:80", "0.0.0.0:80", "[::]:80", "example.org:80", "localhost.example.org:80", ":80", "[2001:db8::1]:80"} {
		require.ErrorIs(t, wire.Loopback(addr), wire.ErrNotLoopback, addr)
		_, err := wire.Dial(context.Background(), addr, "good", "web", timeout)
		require.ErrorIs(t, err, wire.ErrNotLoopback, addr)
	}
	require.Error(t, wire.Loopback("127.0.0.1"))
}
