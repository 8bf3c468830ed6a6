package scenario

import (
	"fmt"
	"strings"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// checker holds a client's frames against what the protocol promises: each message of the peer shown once and in the
// order it was sent, each of the own messages accepted in order and proven once. It belongs to the client's reader.
type checker struct {
	peer uint32
	body int

	conversation string
	seq          uint64
	shown        uint32 // messages of the peer so far
	accepted     uint32
}

func (c *checker) take(frame []byte, run string, me uint32) error {
	f, err := wire.Decode(frame)
	if err != nil {
		return err
	}
	sender, counter, ok := wire.ParseMsgID([]byte(f.Params.MsgID), run)
	switch {
	case !ok:
		return nil
	case f.Type == wire.Message:
		return c.message(f, sender, counter)
	case f.Type == wire.Accepted:
		if sender != me || counter != c.accepted || f.Params.Duplicate {
			return fmt.Errorf("accepted %s; message %d was next", f.Params.MsgID, c.accepted)
		}
		c.accepted++
	}
	return nil
}

func (c *checker) message(f wire.Frame, sender, counter uint32) error {
	p := f.Params
	if sender != c.peer || p.FromUser.OpenID != name(int(c.peer)) {
		return fmt.Errorf("message %s of %s came to the wrong user", p.MsgID, p.FromUser.OpenID)
	}
	if len(p.Message) != c.body || (c.body >= wire.MsgIDChars && !strings.HasPrefix(p.Message, p.MsgID)) {
		return fmt.Errorf("message %s came with the text of another", p.MsgID)
	}
	if counter < c.shown && p.Redelivered {
		return nil // sent again because the acknowledgement was late: a client drops what it has shown
	}
	if counter != c.shown {
		return fmt.Errorf("message %s came; number %d of that sender was next", p.MsgID, c.shown)
	}
	if c.conversation == "" {
		c.conversation = p.Conversation
	}
	if p.Conversation != c.conversation || p.Seq <= c.seq {
		return fmt.Errorf("message %s came at %s/%d after %s/%d", p.MsgID, p.Conversation, p.Seq, c.conversation, c.seq)
	}
	c.seq = p.Seq
	c.shown++
	return nil
}

// verify compares both ends after a run that was drained.
func (t *traffic) verify() error {
	if n := t.again.Load(); n != 0 {
		return fmt.Errorf("%d proofs of delivery came more than once", n)
	}
	for _, c := range t.clients {
		receiver := t.clients[c.index^1]
		if c.check.accepted != c.counter || receiver.check.shown != c.counter {
			return fmt.Errorf("%s sent %d messages: %d accepted, %d shown to the receiver",
				name(int(c.index)), c.counter, c.check.accepted, receiver.check.shown)
		}
	}
	return nil
}
