package ws

import (
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAppendTextHeader(t *testing.T) {
	for length, want := range map[int]string{
		0: "8100", 5: "8105", 125: "817d", 126: "817e007e", 256: "817e0100", 1<<16 - 1: "817effff", 1 << 16: "817f0000000000010000",
	} {
		require.Equal(t, want, hex.EncodeToString(appendTextHeader(nil, length)), length)
	}
}

// writtenConn remembers what is written.
type writtenConn struct {
	net.Conn
	written []byte
}

func (c *writtenConn) Write(p []byte) (int, error) {
	c.written = append(c.written, p...)
	return len(p), nil
}

func (c *writtenConn) SetWriteDeadline(time.Time) error { return nil }

// textOf is a text message as gorilla writes it.
func textOf(body string) []byte { return append(appendTextHeader(nil, len(body)), body...) }

func TestJoinedConn(t *testing.T) {
	under := &writtenConn{}
	w := newWriter()
	conn := &joinedConn{Conn: under, writer: w}
	writes := func(p []byte) string {
		under.written = nil
		n, err := conn.Write(p)
		require.NoError(t, err)
		require.Len(t, p, n)
		return string(under.written)
	}
	long := "long \x88 " + strings.Repeat("x", 1<<16)
	for _, body := range []string{"a", "b", "c", long, "d", "e"} {
		w.out = append(w.out, &frame{b: []byte(body)})
	}
	ping := "\x89\x00"
	require.Equal(t, ping, writes([]byte(ping)), "nothing follows a control message")
	w.lent = 1 // melody has a
	require.Equal(t, string(textOf("a"))+string(textOf("b"))+string(textOf("c")), writes(textOf("a")), "what fits one write")
	require.Equal(t, ping, writes([]byte(ping)))
	w.closed = true // so that melody gets nothing by itself
	w.sent()
	w.closed = false
	require.Equal(t, long, string(w.out[0].b))
	w.lent = 1
	whole := string(textOf(long))
	cut := strings.Index(whole, "\x88")
	require.Equal(t, whole[:cut], writes([]byte(whole[:cut])))
	require.Equal(t, whole[cut:], writes([]byte(whole[cut:])), "a part is no control message, and what follows is too much")
	w.closed = true
	w.sent()
	w.closed = false
	w.lent = 1
	w.close()
	require.Equal(t, string(textOf("d")), writes(textOf("d")), "nothing follows when the session is closing")

	conn.greeting.Store(true)
	require.Empty(t, writes([]byte("HTTP/1.1 101")))
	bye := "\x88\x00"
	require.Equal(t, "HTTP/1.1 101"+bye, writes([]byte(bye)), "nothing is held back for ever")
}
