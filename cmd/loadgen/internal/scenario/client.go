package scenario

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// errOverrun says that so much is under way that the generator can no longer tell which answer is whose.
var errOverrun = errors.New("too much is under way: the server answers far slower than is sent")

// RefusedError is a frame 500. A benchmark that is refused anything is none, so it ends the run, unless the Load is patient.
type RefusedError struct{ Code, Message string }

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server refused a frame: %s: %s", e.Code, e.Message)
}

// client is one user: it answers every frame 2 with a 15, and in a closed loop every 17 with the next message.
// What it sends as a sender belongs to one goroutine: its reader in a closed loop, the pacer in an open one.
type client struct {
	t       *traffic
	index   uint32
	conn    *wire.Conn
	compose *wire.Composer
	hungUp  atomic.Bool

	// under holds, for each message under way, when it was to be sent and its counter's low bits. The receiver reads
	// it too.
	under []atomic.Int64

	counter uint32
	out, id []byte // of the sending goroutine
	ack     []byte // of the reader

	check checker
}

func newClient(t *traffic, index uint32, conn *wire.Conn) *client {
	me, peer := name(int(index)), name(int(index^1))
	return &client{
		t: t, index: index, conn: conn, compose: wire.NewComposer(me, peer, t.load.Body),
		under: make([]atomic.Int64, t.ring()), check: checker{peer: index ^ 1, body: t.load.Body},
	}
}

// counterBits of a message's counter stand beside its time, so that a late repeat is not taken for a newer message.
const counterBits = 20

func stamp(at int64, counter uint32) int64 {
	return at<<counterBits | int64(counter&(1<<counterBits-1))
}

func (c *client) slot(counter uint32) *atomic.Int64 { return &c.under[int(counter)&(len(c.under)-1)] }

// sentAt is when a message that is under way was to be sent.
func (c *client) sentAt(counter uint32) (at int64, ok bool) {
	v := c.slot(counter).Load()
	return v >> counterBits, v != 0 && v == stamp(v>>counterBits, counter)
}

// next sends the next message now, if there is to be one.
func (c *client) next() error {
	if !c.t.more() {
		return nil
	}
	return c.send(c.t.now())
}

// send appends the next message, which was to be sent at that time.
func (c *client) send(at int64) error {
	if !c.slot(c.counter).CompareAndSwap(0, stamp(at, c.counter)) {
		return errOverrun
	}
	c.id = wire.AppendMsgID(c.id[:0], c.t.run, c.index, c.counter)
	c.out = c.compose.AppendSend(c.out[:0], c.id)
	c.conn.Append(c.out)
	c.counter++
	return nil
}

// read serves the connection until it is hung up.
func (c *client) read() error {
	take := c.take
	if c.t.load.Verify {
		take = c.takeChecked
	}
	for {
		err := c.conn.Batch(take)
		if err == nil {
			err = c.conn.Flush()
		}
		if c.hungUp.Load() {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name(int(c.index)), err)
		}
	}
}

func (c *client) takeChecked(frame []byte) error {
	if err := c.check.take(frame, c.t.run, c.index); err != nil {
		return err
	}
	return c.take(frame)
}

func (c *client) take(frame []byte) error {
	kind, msgid, err := wire.Scan(frame)
	if err != nil {
		return err
	}
	switch kind {
	case wire.Accepted:
		c.t.accepted.Add(1)
	case wire.Message:
		c.arrived(msgid)
	case wire.Acked:
		c.t.acked.Add(1)
	case wire.Delivered:
		return c.proven(msgid)
	case wire.Refused:
		return c.refused(frame)
	}
	return nil
}

func (c *client) refused(frame []byte) error {
	params, err := refused(frame)
	sender, counter, ok := wire.ParseMsgID([]byte(params.MsgID), c.t.run)
	if c.t.load.Patient && params.Temporary && ok && sender == c.index {
		c.slot(counter).Store(0)
		c.t.refused.Add(1)
		return nil
	}
	return err
}

// refused is what a frame 500 says, as an error.
func refused(frame []byte) (wire.Params, error) {
	f, err := wire.Decode(frame)
	if err != nil {
		return f.Params, err
	}
	return f.Params, &RefusedError{f.Params.Code, f.Params.Message}
}

// arrived acknowledges a message. Those of an earlier run on the same ledger are acknowledged and not counted.
func (c *client) arrived(msgid []byte) {
	c.ack = c.compose.AppendAck(c.ack[:0], msgid)
	c.conn.Append(c.ack)
	sender, counter, ok := wire.ParseMsgID(msgid, c.t.run)
	if !ok || int(sender) >= len(c.t.clients) {
		return
	}
	c.t.pushed.Add(1)
	if at, ok := c.t.clients[sender].sentAt(counter); ok && c.t.measured(at) {
		c.t.reach.Record(time.Duration(c.t.now()-at) * time.Microsecond)
	}
}

// proven takes a frame 17: the message is delivered.
func (c *client) proven(msgid []byte) error {
	sender, counter, ok := wire.ParseMsgID(msgid, c.t.run)
	if !ok || sender != c.index {
		return nil
	}
	at, ok := c.sentAt(counter)
	if !ok {
		c.t.again.Add(1)
		return nil
	}
	if c.t.measured(at) {
		c.t.proof.Record(time.Duration(c.t.now()-at) * time.Microsecond)
	}
	c.slot(counter).Store(0)
	c.t.delivered.Add(1)
	if c.t.load.Rate > 0 {
		return nil
	}
	return c.next()
}
