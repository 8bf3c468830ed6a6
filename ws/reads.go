package ws

import (
	"context"

	"github.com/yanlink/yanlink/ws/protocol"
)

// readItem is a read mark on its way into the ledger.
type readItem struct {
	MarkRead
	asker   // by frame 25, or REST
	trigger protocol.Trigger
}

func (it *readItem) op() Op           { return &it.MarkRead }
func (it *readItem) stamp(now Millis) { it.At = now }
func (it *readItem) kept() bool       { return false }

func (it *readItem) refused(err error) {
	it.Err = err
	if it.session != nil {
		it.session.fail(it.frameID, err)
	}
	it.finish()
}

func (it *readItem) committed(d *dispatcher) {
	if it.Err != nil {
		it.refused(it.Err)
		return
	}
	if it.session != nil {
		f := getFrame()
		f.b = protocol.AppendReadDone(f.b, protocol.ReadDone{
			ID: it.frameID, Conversation: it.Conversation, Seq: it.Read, At: int64(it.At),
		})
		d.send(it.session, f)
	}
	if !it.Unchanged {
		it.tell(d)
	}
	it.finish()
}

// tell tells the other one, and the reader's other devices. In a conversation of many only the latter are told: there the
// marks of everybody would be more than the messages.
func (it *readItem) tell(d *dispatcher) {
	request := protocol.NewRequestID()
	told := []string{it.User}
	if it.Peer != "" && it.Peer != it.User {
		told = append(told, it.Peer)
	}
	for _, to := range told {
		bell := &readBell{
			to: to, reader: it.User, conversation: it.Conversation, seq: it.Read, at: it.At, request: request, trigger: it.trigger,
		}
		bell.tell(d, it.session)
		d.notify(to, bell)
	}
}

// readBell says that somebody has read a conversation up to a seq. It is state: lost, it is learnt from REST.
type readBell struct {
	to           string // who is told
	reader       string
	conversation ConversationID
	seq          uint64
	at           Millis
	request      [16]byte
	trigger      protocol.Trigger
}

func (b *readBell) committed(d *dispatcher) { b.tell(d, nil) }

// tell sends 26 to the sessions on this node that know it, but for the one that read.
func (b *readBell) tell(d *dispatcher, reader *Session) {
	for _, s := range d.g.hub.sessions(b.to) {
		if s == reader || !s.takesState() {
			continue
		}
		f := getFrame()
		f.b = protocol.AppendReadBy(f.b, protocol.ReadBy{
			At: int64(b.at), Conversation: b.conversation, Seq: b.seq, User: b.reader, MessageID: protocol.NewRequestID(),
			RequestID: b.request, SessionID: s.id, To: s.user, Trigger: d.g.trigger(b.trigger),
		})
		d.send(s, f)
	}
}

// takesState reports whether the session is told of what is state: old clients would not know the frame, and who does not
// read its socket asks later.
func (s *Session) takesState() bool {
	_, bytes := s.writer.load()
	return s.v1 && bytes <= s.g.opt.QueueBytes/2
}

// receiveRead handles frame 25.
func (s *Session) receiveRead(f *protocol.Frame) error {
	return s.submit(&readItem{
		MarkRead: MarkRead{User: s.user, Conversation: f.Conversation, Seq: f.Seq},
		asker:    asker{session: s, frameID: f.ID}, trigger: protocol.TriggerWebSocket,
	})
}

// MarkRead notes that user has read a conversation up to seq, tells who is to know, and returns where the mark stands
// then: it never goes back. Refused with not_member; with bad_field past the conversation's end.
func (g *Gateway) MarkRead(ctx context.Context, user string, id ConversationID, seq uint64) (uint64, error) {
	it := &readItem{
		MarkRead: MarkRead{User: user, Conversation: id, Seq: seq},
		asker:    asker{done: make(chan struct{})}, trigger: protocol.TriggerREST,
	}
	if err := g.submitAndWait(ctx, it, it.done); err != nil {
		return 0, err
	}
	return it.Read, it.Err
}
