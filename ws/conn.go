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
	// joinBytes is how much a joinedConn holds back at most before it writes.
	joinBytes = 16 << 10
	// lingerFor is how long a closed connection is still read, so that unread input does not turn the close frame into a reset.
	lingerFor = 500 * time.Millisecond
	// deadlineSlack is the part of the time a write is given by which it may be shorter, to save setting its deadline.
	deadlineSlack = 10
	// greeting is what a connection counts as queued while the 101 is written to a client that gets a hello at once: the two
	// leave together.
	greeting = 2
)

// joinedConn joins the frames of a session that queue behind each other into one write(2). melody's frame is held back
// while queued says that others follow, which writeFrames then puts behind it. There is no timer and no added delay.
//
// It is safe for concurrent use.
type joinedConn struct {
	net.Conn
	queued atomic.Int32 // frames given to the session and not yet written, the one being written included
	hurry  atomic.Bool  // flush each write: the session is closing

	mu       sync.Mutex // gorilla/websocket serialises its own writes, but not with those of writeFrames
	held     *[]byte    // nil: nothing
	deadline time.Time  // asked for
	applied  time.Time  // in force
}

// Write holds p back, or writes it together with what was held back.
func (c *joinedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hold := c.queued.Load() > 1 && len(p) <= joinBytes && !c.hurry.Load()
	if !hold && c.held == nil {
		if err := c.applyDeadline(); err != nil {
			return 0, err
		}
		return c.Conn.Write(p)
	}
	c.hold()
	*c.held = append(*c.held, p...)
	if hold {
		return len(p), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// writeFrames writes frames as text messages, behind what was held back. Of a session that is closing it writes none: nothing
// may follow a close frame (RFC 6455, 5.5.1).
func (c *joinedConn) writeFrames(frames []*frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hurry.Load() {
		return nil
	}
	c.hold()
	for _, f := range frames {
		*c.held = append(appendTextHeader(*c.held, len(f.b)), f.b...)
	}
	return c.flush()
}

// heldPool has what is held back: as large as it becomes, where frames are small.
var heldPool = sync.Pool{New: func() any { return new(make([]byte, 0, joinBytes)) }}

func (c *joinedConn) hold() {
	if c.held == nil {
		c.held = heldPool.Get().(*[]byte)
	}
}

// appendTextHeader appends what precedes a text message of a length that a server sends in one frame (RFC 6455, 5.2).
func appendTextHeader(b []byte, length int) []byte {
	const final, text = 0x80, 0x1
	b = append(b, final|text)
	switch {
	case length < 126:
		return append(b, byte(length))
	case length <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(length))
	}
}

// flush writes what was held back.
func (c *joinedConn) flush() error {
	err := c.applyDeadline()
	if err == nil {
		_, err = c.Conn.Write(*c.held)
	}
	if cap(*c.held) <= maxPooledFrame {
		*c.held = (*c.held)[:0]
		heldPool.Put(c.held)
	}
	c.held = nil
	return err
}

// SetWriteDeadline remembers t for the next real write: setting it costs more than a held-back write does.
func (c *joinedConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
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
