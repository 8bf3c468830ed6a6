package ws

import (
	"bufio"
	"encoding/binary"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// joinBytes is how much is joined to one write at most.
	joinBytes = 16 << 10
	// lingerFor is how long a closed connection is still read, so that unread input does not turn the close frame into a reset.
	lingerFor = 500 * time.Millisecond
	// deadlineSlack is the part of the time a write is given by which it may be shorter, to save setting its deadline.
	deadlineSlack = 10
)

// joinedConn joins the frames of a session that queue behind each other into one write(2): where melody's frame ends, those
// that wait in the writer follow it. There is no timer and no added delay. Each frame that went through melody would pay for
// a channel, a select, two locks and a look at the clock, more than for all else.
//
// gorilla/websocket makes one write at a time; all but greeting is its goroutine's.
type joinedConn struct {
	net.Conn
	greeting atomic.Bool // the 101 waits for the hello, to leave with it
	writer   *writer
	left     int       // of the text message that is being written: gorilla writes long ones in two parts
	held     []byte    // the 101
	deadline time.Time // asked for
	applied  time.Time // in force
}

// Write writes p, behind what was held back, and where a text message ends with it, before the frames that follow.
func (c *joinedConn) Write(p []byte) (int, error) {
	if c.greeting.Load() && p[0] == 'H' { // HTTP/1.1 101
		c.held = append(c.held, p...)
		return len(p), nil
	}
	var behind []*frame
	if c.endsText(p) {
		behind = c.writer.follow()
	}
	if err := c.applyDeadline(); err != nil {
		return 0, err
	}
	if len(c.held) == 0 && len(behind) == 0 {
		return c.Conn.Write(p)
	}
	joined := joinedPool.Get().(*[]byte)
	*joined = append(append((*joined)[:0], c.held...), p...)
	for _, f := range behind {
		*joined = append(appendTextHeader(*joined, len(f.b)), f.b...)
	}
	c.held = nil
	_, err := c.Conn.Write(*joined)
	if cap(*joined) <= maxPooledFrame {
		joinedPool.Put(joined)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// joinedPool has what frames are joined in: as large as it becomes, where frames are small.
var joinedPool = sync.Pool{New: func() any { return new(make([]byte, 0, joinBytes)) }}

// endsText reports whether a text message ends with p. Control messages are one write, and none comes between two parts.
func (c *joinedConn) endsText(p []byte) bool {
	if c.left == 0 {
		if p[0] != finalText {
			return false
		}
		c.left = textLength(p)
	}
	c.left -= len(p)
	return c.left == 0
}

// What precedes a text message that a server sends in one frame (RFC 6455, 5.2): finalText, and its length in one byte, or in
// the two or eight behind one of these.
const (
	finalText  = 0x81
	twoBytes   = 126
	eightBytes = 127
)

func appendTextHeader(b []byte, length int) []byte {
	b = append(b, finalText)
	switch {
	case length < twoBytes:
		return append(b, byte(length))
	case length <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, twoBytes), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(b, eightBytes), uint64(length))
	}
}

// textLength is how long the text message is that p begins with, the header included.
func textLength(p []byte) int {
	switch p[1] {
	case twoBytes:
		return 4 + int(binary.BigEndian.Uint16(p[2:]))
	case eightBytes:
		return 10 + int(binary.BigEndian.Uint64(p[2:]))
	default:
		return 2 + int(p[1])
	}
}

// SetWriteDeadline remembers t for the next real write: setting it costs more than a held-back write does.
func (c *joinedConn) SetWriteDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

// applyDeadline leaves a deadline in force that gives a write nearly the time asked for: what is in force may be long over,
// and it may have been asked for a longer time than a close frame gets.
func (c *joinedConn) applyDeadline() error {
	now := time.Now()
	asked, left := c.deadline.Sub(now), c.applied.Sub(now)
	if left <= asked && left > asked-asked/deadlineSlack {
		return nil
	}
	c.applied = c.deadline
	return c.Conn.SetWriteDeadline(c.deadline)
}

// Close ends the writing side and gives the reading side a moment to see the peer's end; release closes for good.
func (c *joinedConn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return c.Conn.Close()
	}
	_ = c.Conn.SetReadDeadline(time.Now().Add(lingerFor))
	return half.CloseWrite()
}

// release discards what the peer still sends, for a moment, and closes the connection.
func (c *joinedConn) release() {
	if err := c.Conn.SetReadDeadline(time.Now().Add(lingerFor)); err == nil {
		scrap := getFrame()
		defer putFrame(scrap)
		for {
			if _, err := c.Conn.Read(scrap.b[:cap(scrap.b)]); err != nil {
				break
			}
		}
	}
	_ = c.Conn.Close()
}

// hijacker is the ResponseWriter for melody: its Hijack returns a joinedConn.
type hijacker struct {
	http.ResponseWriter
	conn *joinedConn
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn.Conn = conn
	return h.conn, buffered, nil
}
