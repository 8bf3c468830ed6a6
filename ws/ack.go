package ws

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

// ackItem is an acknowledgement on its way into the ledger, or, with From 0, a cursor alone. It is kept until it holds:
// an acknowledgement that arrived is never asked for again.
type ackItem struct {
	Ack
	records []*Record // what the run acknowledges; the proofs go to their senders
	origin  *Session  // whose acknowledgement it is
	session *Session  // who is answered with frame 16; nil: nobody
	reply   protocol.Acked
	done    chan struct{} // closed when it holds or never will; may be nil
}

func (it *ackItem) op() Op     { return &it.Ack }
func (it *ackItem) kept() bool { return true }

func (it *ackItem) stamp(now Millis) {
	it.At = now
	if len(it.records) > 0 && it.origin.g.outbox != nil {
		it.Events = it.origin.g.outbox.messageDelivered(&it.Ack, it.records)
	}
}

func (it *ackItem) refused(err error) {
	it.Err = err
	it.finish(nil)
}

func (it *ackItem) committed(d *dispatcher) {
	if errors.Is(it.Err, ErrNotFound) && !it.origin.gone.Load() {
		it.origin.close(protocol.CloseFault, "this device was dropped; connect again") // what it acknowledges holds no more
	}
	if it.Err == nil {
		for _, rec := range it.records {
			d.g.opt.Metrics.Delivered(time.Duration(it.At-rec.CreatedAt) * time.Millisecond)
			d.prove(rec, &it.Ack)
		}
		if it.From > 0 && it.origin.gone.Load() {
			d.tellSuccessor(&it.Ack)
			d.notify(it.User, &hadBell{it.Ack})
		}
	}
	it.finish(d)
}

// tellSuccessor tells the device's newer session of an acknowledgement that its first read of the ledger may have
// missed: what arrived is not asked for again.
func (d *dispatcher) tellSuccessor(ack *Ack) {
	for _, s := range d.g.hub.sessions(ack.User) {
		if s.device == ack.Device {
			s.hadElsewhere(ack)
		}
	}
}

func (s *Session) hadElsewhere(ack *Ack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tracks[ack.Conversation]
	if t == nil || t.phase == unplaced || s.closing {
		return
	}
	for seq := ack.From; seq <= ack.To; seq++ {
		s.window.takeID(MessageID{Conversation: ack.Conversation, Seq: seq})
	}
	if t.phase == behind && t.next <= ack.To {
		t.had.add(ack.From, ack.To)
	}
	s.readOn()
}

func (it *ackItem) finish(d *dispatcher) {
	if it.session != nil {
		it.answer(d)
		it.session.free()
	}
	if it.done != nil {
		close(it.done)
	}
}

// answer sends frame 16, promise 3: the acknowledgement is durable.
func (it *ackItem) answer(d *dispatcher) {
	if it.Err != nil {
		it.session.fail(it.reply.ID, it.Err)
		return
	}
	f := getFrame()
	it.reply.At = int64(it.At)
	f.b = protocol.AppendAcked(f.b, d.g.dates, it.reply)
	d.send(it.session, f)
}

// receiveAck handles frame 15. What it names is looked up in the order of design.md, "What an acknowledgement names".
func (s *Session) receiveAck(f *protocol.Frame) error {
	if f.ToUser != "" && f.ToUser != s.user {
		return protocol.FieldError(protocol.IdentityMismatch, "toUser", "toUser is the one who acknowledges: you")
	}
	if f.Conversation != 0 {
		return s.ackConversation(f)
	}
	reply := protocol.Acked{ID: f.ID, MsgID: f.MsgID}
	id, isID := protocol.ParseMessageID(f.MsgID)
	if !s.hold() {
		return errStopped
	}
	if s.ackWindow(f, id, isID, reply) {
		return nil
	}
	if err := s.ackLedger(f, id, isID, reply); err != nil {
		s.free()
		return err
	}
	return nil
}

// ackWindow acknowledges what is in the window. It submits under the lock, so that no cursor that covers the
// acknowledgement can reach the committer before it.
func (s *Session) ackWindow(f *protocol.Frame, id MessageID, isID bool, reply protocol.Acked) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p pushed
	found := false
	if isID {
		p, found = s.window.take(func(r *Record) bool { return r.ID() == id && fits(f, r) })
	}
	if !found && f.FromUser != "" {
		p, found = s.window.take(func(r *Record) bool {
			return r.MsgID == f.MsgID && r.Sender == f.FromUser && r.Kind == KindMessage
		})
	}
	if !found {
		return false
	}
	s.ackPushed(p, reply)
	return true
}

// ackPushed acknowledges what was taken from the window. The caller holds mu.
func (s *Session) ackPushed(p pushed, reply protocol.Acked) {
	s.ackedSome()
	it := s.newAck(p.track, p.rec.Seq, p.rec.Seq, p.attempts)
	it.records = []*Record{p.rec}
	it.session, it.reply = s, reply
	s.submitAck(it)
}

// newAck builds the item for a run, with the cursor that follows. The caller holds mu and has taken the run from the window.
func (s *Session) newAck(t *track, from, to uint64, attempts uint32) *ackItem {
	cursor, due := s.cursor(t)
	t.written = max(t.written, cursor)
	t.stale = 0
	return &ackItem{origin: s, Ack: Ack{
		User: s.user, Device: s.device, Conversation: t.id, From: from, To: to, Attempts: attempts,
		Node: s.g.opt.NodeID, Cursor: cursor, Due: due,
	}}
}

// ackedSome notes that the peer acknowledges, and reads on if the window has become low. The caller holds mu.
func (s *Session) ackedSome() {
	s.lastAck = s.g.mono()
	s.readOn()
}

// readOn reads the next page where one is waited for and the window has become low. The caller holds mu.
func (s *Session) readOn() {
	if len(s.behind) > 0 && s.window.low() {
		s.schedule()
	}
}

func (s *Session) submitAck(it *ackItem) {
	if err := s.g.committers.submit(it); err != nil {
		it.Err = err
		it.finish(nil)
	}
}

// ackLedger acknowledges what is not in the window: a repeat, or what an earlier session was sent.
func (s *Session) ackLedger(f *protocol.Frame, id MessageID, isID bool, reply protocol.Acked) error {
	ctx, cancel := s.g.readContext()
	defer cancel()
	rec, t, err := s.addressed(ctx, f, id, isID)
	if err != nil {
		return err
	}
	receipts, err := s.g.store.ReceiptsAfter(ctx, s.ref(), t.id, rec.Seq-1)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, found := s.window.takeID(rec.ID()); found {
		s.ackPushed(p, reply) // CATCH-UP pushed it while the ledger was read
		return nil
	}
	it := s.newAck(t, 0, 0, 0)
	it.session, it.reply = s, reply
	// What is below next and neither in the window nor passed over was acknowledged in this session, and may still be on its
	// way.
	fresh := !coveredBy(receipts, rec.Seq) && !t.acknowledged(rec.Seq) && !slices.Contains(t.late, rec.Seq) && rec.RecalledAt == 0
	if fresh && (rec.Seq >= t.next || s.passedOver(t, rec)) {
		it.From, it.To = rec.Seq, rec.Seq
		it.records = []*Record{rec}
		s.ackUnpushed(t, it)
		s.ackedSome()
	} else if t.phase == behind && rec.Seq >= t.next {
		t.had.add(rec.Seq, rec.Seq) // recorded after this session read the receipts
	}
	s.submitAck(it)
	return nil
}

// passedOver reports whether rec may be below the session's place although no session of the device acknowledged it: the
// device began beyond it, or was not sent it in time. Whoever acknowledges it has read it elsewhere, or too late.
func (s *Session) passedOver(t *track, rec *Record) bool {
	return rec.Seq <= t.start || expired(rec, s.g.now())
}

// ackUnpushed makes sure that what an item acknowledges is not pushed any more. The caller holds mu.
func (s *Session) ackUnpushed(t *track, it *ackItem) {
	switch {
	case it.From < t.next:
		t.late = append(t.late[max(0, len(t.late)+1-maxLate):], it.From)
	case it.From == t.next:
		t.next, t.due = it.From+1, it.From
		it.Cursor, it.Due = s.cursor(t)
		t.written = max(t.written, it.Cursor)
		t.settle()
	default:
		t.had.add(it.From, it.From)
		if t.phase == live {
			s.fallBehind(t)
		}
	}
}

func coveredBy(receipts []Receipt, seq uint64) bool {
	for i := range receipts {
		if receipts[i].Covers(seq) {
			return true
		}
	}
	return false
}

var errNotAddressed = protocol.FieldError(protocol.NotAddressed, "msgid", "nothing of that name was sent to you")

// addressed finds the record an acknowledgement names in the ledger: by messageId, or by the dedup key in the direct
// conversation of the two. It is refused unless the record was due to this device.
func (s *Session) addressed(ctx context.Context, f *protocol.Frame, id MessageID, isID bool) (*Record, *track, error) {
	rec, err := s.lookUp(ctx, f, id, isID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil, errNotAddressed
	}
	if err != nil {
		return nil, nil, err
	}
	t, err := s.placed(ctx, rec.Conversation)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := rec.Sender == s.user && (rec.SenderDevice == s.device || s.g.opt.NoSenderDevices)
	if own || !t.inside(rec.Seq) || rec.Kind != KindMessage && !s.v1 {
		return nil, nil, errNotAddressed
	}
	return rec, t, nil
}

func (s *Session) lookUp(ctx context.Context, f *protocol.Frame, id MessageID, isID bool) (*Record, error) {
	var byID *Record
	if isID {
		rec, err := s.g.store.Record(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) || err == nil && fits(f, rec) {
			return rec, err
		}
		byID = rec
	}
	rec, err := s.lookUpKey(ctx, f)
	if errors.Is(err, ErrNotFound) && byID != nil {
		return byID, nil
	}
	return rec, err
}

// fits reports whether rec, which an acknowledgement names by its id, fits what else it says. A sender chooses its msgids, and
// might choose the id of a message that somebody else has sent.
func fits(f *protocol.Frame, rec *Record) bool { return f.FromUser == "" || f.FromUser == rec.Sender }

// lookUpKey finds the record by the sender's own key: in the conversation with the sender or among what was told to everybody, or
// among the user's own messages.
func (s *Session) lookUpKey(ctx context.Context, f *protocol.Frame) (*Record, error) {
	switch f.FromUser {
	case "":
		return nil, ErrNotFound
	case s.user:
		return s.lookUpCopy(ctx, f.MsgID)
	}
	return s.lookUpIn(ctx, []ConversationID{SystemConversation}, f.FromUser, f.MsgID)
}

// lookUpCopy finds a copy of one of the user's own messages, whose frame does not say in which conversation it stands:
// it is looked for where this session was sent anything, and in the conversation with oneself.
func (s *Session) lookUpCopy(ctx context.Context, msgid string) (*Record, error) {
	var ids []ConversationID
	s.locked(func() { ids = slices.AppendSeq(make([]ConversationID, 0, len(s.tracks)+1), maps.Keys(s.tracks)) })
	return s.lookUpIn(ctx, ids, s.user, msgid)
}

// lookUpIn finds a sender's message in one of these conversations or in the user's with the sender.
func (s *Session) lookUpIn(ctx context.Context, ids []ConversationID, sender, msgid string) (*Record, error) {
	direct, err := s.g.store.FindConversation(ctx, Direct, DirectKey(s.user, sender))
	if err == nil {
		ids = append(ids, direct.ID)
	} else if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	var found []MessageID
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		seq, err := s.g.store.Dedup(ctx, id, sender, msgid)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil {
			found = append(found, MessageID{Conversation: id, Seq: seq})
		}
	}
	if len(found) == 1 { // else nobody can tell which is meant: it is sent again, and found in the window
		return s.g.store.Record(ctx, found[0])
	}
	return nil, ErrNotFound
}

// placed returns the session's track of a conversation, read from the ledger if need be; not_addressed if the user was
// never in it.
func (s *Session) placed(ctx context.Context, id ConversationID) (*track, error) {
	if t := s.placedTrack(id); t != nil {
		return t, nil
	}
	positions, err := s.g.store.Positions(ctx, s.ref(), []ConversationID{id})
	if err != nil {
		return nil, err
	}
	if len(positions) == 0 {
		return nil, errNotAddressed
	}
	if err := s.place(ctx, positions); err != nil {
		return nil, err
	}
	if t := s.placedTrack(id); t != nil {
		return t, nil
	}
	return nil, errStopped // the session has ended meanwhile
}

// placedTrack returns the track of a conversation, or nil where it is not known yet how far the device is.
func (s *Session) placedTrack(id ConversationID) *track {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tracks[id]; t != nil && t.phase != unplaced {
		return t
	}
	return nil
}
