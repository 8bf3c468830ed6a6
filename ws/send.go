package ws

import (
	"hash/crc64"

	"github.com/yanlink/yanlink/ws/protocol"
)

// sendItem is a message on its way into the ledger.
type sendItem struct {
	Send
	asker // by frame 1, or REST
	ttl   Millis
}

func (it *sendItem) op() Op     { return &it.Send }
func (it *sendItem) kept() bool { return false }

func (it *sendItem) stamp(now Millis) {
	it.Record.CreatedAt = now
	if it.ttl > 0 {
		it.Record.ExpireAt = now + it.ttl
	}
}

func (it *sendItem) refused(err error) {
	it.Err = err
	if it.session != nil {
		it.session.refuse(it, err)
	}
	it.finish()
}

func (it *sendItem) committed(d *dispatcher) {
	if it.Err != nil {
		it.refused(it.Err)
		return
	}
	if it.Cancelled || it.ScheduledID != 0 && it.session != nil {
		it.refused(errDelayed(it.Cancelled))
		return
	}
	if it.session != nil {
		it.accept(d)
	}
	if it.Duplicate {
		d.g.opt.Metrics.Message("duplicate", 1)
		it.remind(d)
	} else {
		d.g.opt.Metrics.Message("accepted", 1)
		d.deliver(&it.Record, it.Members, it.To)
	}
	it.finish()
}

// remind rings for a repeat's first one: its commit may have held although it was reported as refused, and then nobody
// has been told of it.
func (it *sendItem) remind(d *dispatcher) {
	for _, user := range [2]string{it.To, it.Record.Sender} {
		for _, s := range d.g.hub.sessions(user) {
			s.hear(it.Record.Conversation, it.Record.Seq)
		}
	}
}

// accept answers frame 1 with frame 0: promise 1, the message is durable.
func (it *sendItem) accept(d *dispatcher) {
	f := getFrame()
	f.b = protocol.AppendAccepted(f.b, d.g.dates, protocol.Accepted{
		ID: it.frameID, At: int64(it.Record.CreatedAt), Message: it.Record.Body, MsgID: it.Record.MsgID,
		MessageID: it.Record.ID(), Duplicate: it.Duplicate,
	})
	d.send(it.session, f)
	if it.To == it.session.user {
		return
	}
	if it.Duplicate {
		it.session.proved(it.Record.ID()) // it may be this session's own repeat, and is not looked for twice
	}
	it.session.expectProof(it.Record.ID())
}

// receiveSend handles frame 1.
func (s *Session) receiveSend(f *protocol.Frame) error {
	if len(f.Message) > s.g.opt.MaxBody {
		return protocol.FieldError(protocol.TooLarge, "message", "the message is longer than this server takes")
	}
	draft := Draft{
		From: s.user, To: []string{f.To}, Body: f.Message, FileType: f.FileType, MsgID: f.MsgID,
		trigger: protocol.TriggerWebSocket, device: s.device, requestID: protocol.NewRequestID(),
	}
	if err := s.g.screen(s.g.serving, &draft); err != nil {
		return err
	}
	it := s.g.newSend(&draft, draft.To[0])
	it.session = s
	it.frameID = f.ID
	it.SenderName = s.name
	return s.submit(it)
}

// refuse answers frame 1 with a 500.
func (s *Session) refuse(it *sendItem, err error) {
	coded := *protocol.AsError(err)
	coded.MsgID = it.Record.MsgID
	s.g.opt.Metrics.Message(string(coded.Code), 1)
	if coded.Cause != nil {
		s.g.log.Warn("a message was refused", "session", s.id, "error", coded.Error())
	}
	s.fail(it.frameID, &coded)
}

// newSend makes the item that sends a draft to one recipient.
func (g *Gateway) newSend(draft *Draft, to string) *sendItem {
	return &sendItem{
		ttl: millis(draft.TTL),
		Send: Send{
			To: to, CreateUsers: g.opt.StoreUnknown, SenderName: draft.FromName, Hash: contentHash(draft), Events: g.eventsOfSend(),
			Record: Record{
				Kind: KindMessage, Sender: draft.From, SenderDevice: draft.device, MsgID: draft.MsgID,
				RequestID: draft.requestID, Node: g.opt.NodeID, Body: draft.Body, FileType: draft.FileType,
				Trigger: draft.trigger,
			},
		},
	}
}

var hashTable = crc64.MakeTable(crc64.ECMA)

// contentHash tells a repeat from another message under the same msgid. It is stored, so it has to stay the same; it
// guards a sender against itself only, so it need not be cryptographic.
func contentHash(draft *Draft) uint64 {
	if len(draft.Body) > plainlyHashed {
		h := crc64.Update(0, hashTable, []byte{draft.FileType})
		return crc64.Update(h, hashTable, []byte(draft.Body))
	}
	h := hashByte(^uint64(0), draft.FileType)
	for i := range len(draft.Body) {
		h = hashByte(h, draft.Body[i])
	}
	return ^h
}

// plainlyHashed is how long a body may be, in bytes, to be hashed a byte at a time. The library takes eight, but 16 KiB of stack too,
// which each connection's goroutine would grow to and copy for its messages.
const plainlyHashed = 2 << 10

func hashByte(h uint64, b byte) uint64 { return hashTable[byte(h)^b] ^ h>>8 }
