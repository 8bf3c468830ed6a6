// Package wire is the load generator's own WebSocket client. It speaks just enough of RFC 6455 and of the frames to load
// a server without becoming the bottleneck on a machine that the two share: frames are found with byte searches, outgoing
// frames gather and leave in one write, and nothing is allocated per message.
//
// # Concurrency
//
// One goroutine reads a Conn; any may append and flush.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10

	fin    = 0x80
	masked = 0x80

	firstRead    = 4 << 10
	largestFrame = 4 << 20
)

// ErrFragmented is returned for a message in several frames, which neither server under test sends.
var ErrFragmented = errors.New("the server sent a fragmented message")

// CloseError says that the server closed the connection, with which code and reason.
type CloseError struct {
	Code   int
	Reason string
}

// Error implements error.
func (e *CloseError) Error() string {
	return fmt.Sprintf("closed by the server with %d %s", e.Code, e.Reason)
}

// Conn is a client connection.
type Conn struct {
	net   net.Conn
	in    []byte // in[start:end] is what was read and not yet handed out
	start int
	end   int

	mu      sync.Mutex
	out     []byte
	timeout time.Duration
}

func newConn(c net.Conn, rest []byte, timeout time.Duration) *Conn {
	in := make([]byte, max(firstRead, len(rest)))
	return &Conn{net: c, in: in, end: copy(in, rest), timeout: timeout}
}

// Batch waits for input and calls take for each text message that arrived whole. The message is good until take returns.
// Pings are answered. It ends with the first error: of take, of the socket, or a *CloseError.
func (c *Conn) Batch(take func(message []byte) error) error {
	if !c.whole() {
		if err := c.fill(); err != nil {
			return err
		}
	}
	for c.whole() {
		if err := c.frame(take); err != nil {
			return err
		}
	}
	return nil
}

// Next waits for one text message and returns it; it is good until the next read. What arrived behind it stays for Batch.
func (c *Conn) Next() ([]byte, error) {
	var message []byte
	for message == nil {
		for !c.whole() {
			if err := c.fill(); err != nil {
				return nil, err
			}
		}
		if err := c.frame(func(b []byte) error { message = b; return nil }); err != nil {
			return nil, err
		}
	}
	return message, nil
}

// whole reports whether a complete frame waits in the buffer.
func (c *Conn) whole() bool {
	head, size, ok := c.header()
	return ok && c.end-c.start >= head+size
}

// header reads the head of the frame that begins the buffer: its own length and that of the payload.
func (c *Conn) header() (head, size int, ok bool) {
	b := c.in[c.start:c.end]
	if len(b) < 2 {
		return 0, 0, false
	}
	switch size = int(b[1] & 0x7f); size {
	default:
		return 2, size, true
	case 126:
		if len(b) < 4 {
			return 0, 0, false
		}
		return 4, int(binary.BigEndian.Uint16(b[2:])), true
	case 127:
		if len(b) < 10 {
			return 0, 0, false
		}
		return 10, int(min(binary.BigEndian.Uint64(b[2:]), largestFrame+1)), true
	}
}

// fill reads once, after making room for at least the frame that is incomplete.
func (c *Conn) fill() error {
	if c.start == c.end {
		c.start, c.end = 0, 0
	}
	head, size, _ := c.header()
	if size > largestFrame {
		return fmt.Errorf("a frame of more than %d bytes", largestFrame)
	}
	if need := head + size; c.end == len(c.in) || c.start+need > len(c.in) {
		c.makeRoom(need)
	}
	n, err := c.net.Read(c.in[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	return err
}

func (c *Conn) makeRoom(need int) {
	into := c.in
	if need > len(c.in) || c.end-c.start == len(c.in) {
		into = make([]byte, max(need, 2*len(c.in)))
	}
	c.end = copy(into, c.in[c.start:c.end])
	c.start, c.in = 0, into
}

func (c *Conn) frame(take func([]byte) error) error {
	head, size, _ := c.header()
	first := c.in[c.start]
	payload := c.in[c.start+head : c.start+head+size]
	c.start += head + size
	if first&fin == 0 || first&0x0f == 0 {
		return ErrFragmented
	}
	switch first & 0x0f {
	case opText:
		return take(payload)
	case opPing:
		c.append(opPong, payload)
		return c.Flush()
	case opClose:
		return closeError(payload)
	}
	return nil
}

func closeError(payload []byte) error {
	if len(payload) < 2 {
		return &CloseError{Code: 1005}
	}
	return &CloseError{Code: int(binary.BigEndian.Uint16(payload)), Reason: string(payload[2:])}
}

// Append adds a text frame to what the next Flush writes.
func (c *Conn) Append(payload []byte) { c.append(opText, payload) }

// append frames the payload with a masking key of zero: legal, checked by the server like any other, and nothing to
// compute for a client whose own cost must not show in what it measures.
func (c *Conn) append(op byte, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, fin|op)
	switch n := len(payload); {
	case n < 126:
		c.out = append(c.out, masked|byte(n))
	case n <= 0xffff:
		c.out = binary.BigEndian.AppendUint16(append(c.out, masked|126), uint16(n))
	default:
		c.out = binary.BigEndian.AppendUint64(append(c.out, masked|127), uint64(n))
	}
	c.out = append(c.out, 0, 0, 0, 0)
	c.out = append(c.out, payload...)
}

// Flush writes everything appended so far with one write.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.net.Write(c.out)
	c.out = c.out[:0]
	return err
}

// SetDeadline bounds reads and writes; the zero time means no bound.
func (c *Conn) SetDeadline(t time.Time) error { return c.net.SetDeadline(t) }

// Goodbye sends a close frame and closes the connection.
func (c *Conn) Goodbye() {
	_ = c.net.SetWriteDeadline(time.Now().Add(c.timeout))
	c.append(opClose, []byte{1000 >> 8, 1000 & 0xff})
	_ = c.Flush()
	_ = c.net.Close()
}

// Close closes the connection without a word.
func (c *Conn) Close() error { return c.net.Close() }
