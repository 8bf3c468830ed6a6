package ws

import (
	"encoding/binary"
	"errors"

	"github.com/yanlink/yanlink/ws/protocol"
)

// A doorbell is one body on the bus: a header, and entries that follow each other. It is binary, since every record that
// goes to another node is encoded and decoded once more on its way.
//
//	version 1 | incarnation of the node it is for 8 | entries: kind 1, fields
const (
	doorbellVersion = 1
	doorbellHeader  = 9
)

// The kinds of entry.
const (
	bellCanary byte = iota + 1
	bellRecord
	bellProof
	bellEnd
	bellHad
	bellRead
	bellPresence
	bellSignal
)

var (
	errBellVersion = errors.New("a doorbell of another version")
	errBellBroken  = errors.New("a doorbell that cannot be read")
)

// effect is what follows from something, done by a dispatcher: from a committed item, or from an entry of a doorbell.
type effect interface {
	committed(d *dispatcher)
}

func newDoorbell(incarnation uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{doorbellVersion}, incarnation)
}

// readDoorbell decodes a body. It returns nothing, and no error, for one that is for another incarnation.
func readDoorbell(body []byte, incarnation uint64) ([]effect, error) {
	if len(body) < doorbellHeader {
		return nil, errBellBroken
	}
	if body[0] != doorbellVersion {
		return nil, errBellVersion
	}
	if binary.BigEndian.Uint64(body[1:]) != incarnation {
		return nil, nil
	}
	r := bellReader{rest: body[doorbellHeader:]}
	var effects []effect
	for len(r.rest) > 0 && !r.broken {
		e := r.entry()
		if e == nil {
			return nil, errBellBroken
		}
		effects = append(effects, e)
	}
	if r.broken {
		return nil, errBellBroken
	}
	return effects, nil
}

func (r *bellReader) entry() effect {
	switch r.byte() {
	case bellCanary:
		return &canaryBell{lane: Lane(r.byte())}
	case bellRecord:
		return r.record()
	case bellProof:
		return &proof{
			id: r.messageID(), msgid: r.string(), sender: r.string(), user: r.string(), device: r.string(), at: Millis(r.number()),
		}
	case bellEnd:
		return &endBell{user: r.string(), session: r.string(), code: int(r.number()), reason: r.string(), at: Millis(r.number())}
	case bellHad:
		return &hadBell{Ack{
			User: r.string(), Device: r.string(), Conversation: ConversationID(r.number()), From: r.number(), To: r.number(),
		}}
	case bellRead:
		return r.read()
	case bellPresence:
		return r.presence()
	case bellSignal:
		return r.signal()
	}
	return nil
}

func (b *canaryBell) append(dst []byte) []byte { return append(dst, bellCanary, byte(b.lane)) }

func (p *proof) append(dst []byte) []byte {
	dst = appendMessageID(append(dst, bellProof), p.id)
	dst = appendStrings(dst, p.msgid, p.sender, p.user, p.device)
	return binary.AppendUvarint(dst, uint64(p.at))
}

func (b *endBell) append(dst []byte) []byte {
	dst = appendStrings(append(dst, bellEnd), b.user, b.session)
	dst = appendStrings(binary.AppendUvarint(dst, uint64(b.code)), b.reason)
	return binary.AppendUvarint(dst, uint64(b.at))
}

func (b *hadBell) append(dst []byte) []byte {
	dst = appendStrings(append(dst, bellHad), b.User, b.Device)
	for _, n := range [3]uint64{uint64(b.Conversation), b.From, b.To} {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

func (b *readBell) append(dst []byte) []byte {
	dst = append(append(append(dst, bellRead), b.request[:]...), byte(b.trigger))
	dst = appendStrings(dst, b.to, b.reader)
	for _, n := range [3]uint64{uint64(b.conversation), b.seq, uint64(b.at)} {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

func (r *bellReader) read() effect {
	b := &readBell{}
	copy(b.request[:], r.take(len(b.request)))
	b.trigger, b.to, b.reader = protocol.Trigger(r.byte()), r.string(), r.string()
	b.conversation, b.seq, b.at = ConversationID(r.number()), r.number(), Millis(r.number())
	return b
}

// append appends the entry of a record for the members who have sessions on one node.
func (b *recordBell) append(dst []byte, members []string) []byte {
	rec := b.rec
	dst = appendMessageID(append(dst, bellRecord, byte(rec.Kind), rec.FileType, byte(rec.Trigger)), rec.ID())
	dst = append(dst, rec.RequestID[:]...)
	for _, n := range [3]uint64{uint64(rec.CreatedAt), uint64(rec.ExpireAt), rec.Target} {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = appendStrings(dst, rec.Sender, rec.SenderDevice, rec.MsgID, rec.Node, rec.Subject, rec.Body, b.to, b.senderName)
	dst = binary.AppendUvarint(dst, uint64(len(members)))
	return appendStrings(dst, members...)
}

func (r *bellReader) record() effect {
	b := &recordBell{rec: &Record{Kind: RecordKind(r.byte()), FileType: r.byte(), Trigger: protocol.Trigger(r.byte())}}
	rec := b.rec
	id := r.messageID()
	rec.Conversation, rec.Seq = id.Conversation, id.Seq
	copy(rec.RequestID[:], r.take(len(rec.RequestID)))
	rec.CreatedAt, rec.ExpireAt, rec.Target = Millis(r.number()), Millis(r.number()), r.number()
	rec.Sender, rec.SenderDevice, rec.MsgID, rec.Node = r.string(), r.string(), r.string(), r.string()
	rec.Subject, rec.Body, b.to, b.senderName = r.string(), r.string(), r.string(), r.string()
	for n := r.number(); n > 0 && !r.broken; n-- {
		b.members = append(b.members, r.string())
	}
	return b
}

func appendMessageID(dst []byte, id MessageID) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, uint64(id.Conversation)), id.Seq)
}

func appendStrings(dst []byte, list ...string) []byte {
	for _, s := range list {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	return dst
}

// bellReader reads fields; once something is missing it is broken, and every field empty.
type bellReader struct {
	rest   []byte
	broken bool
}

func (r *bellReader) take(n int) []byte {
	if r.broken || n < 0 || n > len(r.rest) {
		r.broken = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *bellReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *bellReader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.broken = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *bellReader) string() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.broken = true
		return ""
	}
	return string(r.take(int(n)))
}

func (r *bellReader) messageID() MessageID {
	return MessageID{Conversation: ConversationID(r.number()), Seq: r.number()}
}
