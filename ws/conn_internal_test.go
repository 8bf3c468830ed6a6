package ws

import (
	"encoding/hex"
	"net"
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

func TestJoinedConn_NothingFollowsAClose(t *testing.T) {
	under := &writtenConn{}
	conn := &joinedConn{Conn: under}
	conn.queued.Store(2)
	_, err := conn.Write([]byte("held back"))
	require.NoError(t, err)
	require.Empty(t, under.written)
	conn.hurry.Store(true)
	require.NoError(t, conn.writeFrames([]*frame{{b: []byte("{}")}}))
	require.Empty(t, under.written, "it waits for the close frame")
	_, err = conn.Write([]byte(", closed"))
	require.NoError(t, err)
	require.NoError(t, conn.writeFrames([]*frame{{b: []byte("{}")}}))
	require.Equal(t, "held back, closed", string(under.written))
}
