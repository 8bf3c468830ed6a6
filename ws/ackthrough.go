package ws

import (
	"context"

	"github.com/yanlink/yanlink/ws/protocol"
)

// ackConversation handles a frame 15 with conversationId and upTo.
func (s *Session) ackConversation(f *protocol.Frame) error {
	ctx, cancel := s.g.readContext()
	defer cancel()
	if !s.hold() {
		return errStopped
	}
	final := &ackItem{session: s, reply: protocol.Acked{ID: f.ID, Conversation: f.Conversation, UpTo: f.UpTo}}
	if err := s.ackThrough(ctx, f.Conversation, f.UpTo, final); err != nil {
		s.free()
		return err
	}
	return nil
}

// ackThrough acknowledges everything due to the device up to seq: what is in the window, and what earlier sessions
// showed and this one has not pushed yet. final is submitted last, so that it is answered when all of it holds.
func (s *Session) ackThrough(ctx context.Context, id ConversationID, seq uint64, final *ackItem) error {
	t, err := s.placed(ctx, id)
	if err != nil {
		return err
	}
	if err := s.reached(ctx, t, seq); err != nil {
		return err
	}
	s.takeOver(t, true)
	defer s.takeOver(t, false)
	for {
		var from uint64
		s.locked(func() { from = t.next })
		if from > seq {
			break
		}
		records, err := s.g.store.Page(ctx, id, from, seq, s.g.opt.PageRecords, s.g.opt.PageBytes)
		if err != nil {
			return err
		}
		// One page at a time: a mark over a large backlog is not to fill the memory with what waits to be written.
		if err := s.ackPage(t, seq, records).await(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ackTaken(t, s.window.takeThrough(t, seq))
	s.ackedSome()
	cursor := s.newAck(t, 0, 0, 0)
	final.Ack, final.origin = cursor.Ack, s
	s.submitAck(final)
	return nil
}

// reached returns an error unless the conversation has come to seq. What the session has come to needs no question to the ledger,
// which may be away: an acknowledgement given meanwhile is kept.
func (s *Session) reached(ctx context.Context, t *track, seq uint64) error {
	var next uint64
	s.locked(func() { next = t.next })
	if seq < next {
		return nil
	}
	conversation, err := s.g.store.Conversation(ctx, t.id)
	if err != nil {
		return err
	}
	if seq > conversation.Last {
		return protocol.FieldError(protocol.BadField, "upTo", "the conversation has not come that far")
	}
	return nil
}

// takeOver keeps CATCH-UP from pushing what a mark is about to acknowledge, and lets it go on afterwards.
func (s *Session) takeOver(t *track, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.taken = taken
	if !taken {
		s.readOn()
	}
}

// await waits until an item holds, or never will; nil needs no waiting.
func (it *ackItem) await(ctx context.Context) error {
	if it == nil {
		return nil
	}
	select {
	case <-it.done:
		return it.Err
	case <-ctx.Done():
		return ErrUnavailable
	}
}

// ackPage acknowledges records from the ledger that the session has not pushed. It returns the last item it submitted,
// which is done when all are; nil if there was none.
func (s *Session) ackPage(t *track, upTo uint64, records []*Record) *ackItem {
	s.mu.Lock()
	defer s.mu.Unlock()
	through := upTo
	if n := len(records); n > 0 {
		through = records[n-1].Seq
	}
	taken := s.window.takeThrough(t, through)
	for _, rec := range records {
		switch {
		case rec.Seq < t.next: // pushed meanwhile: it was in the window
		case t.acknowledged(rec.Seq):
			t.next, t.due = rec.Seq+1, rec.Seq
		case s.needless(t, rec):
			t.next = rec.Seq + 1
		default:
			taken = append(taken, pushed{rec: rec, track: t})
			t.next, t.due = rec.Seq+1, rec.Seq
		}
	}
	t.next = max(t.next, through+1)
	last := s.ackTaken(t, taken)
	t.settle()
	return last
}

// ackTaken submits the runs of acknowledged records, one item for touching seqs with equal attempts, and returns the last.
func (s *Session) ackTaken(t *track, taken []pushed) (last *ackItem) {
	for len(taken) > 0 {
		run := 1
		for run < len(taken) && taken[run].rec.Seq == taken[run-1].rec.Seq+1 && taken[run].attempts == taken[0].attempts {
			run++
		}
		it := s.newAck(t, taken[0].rec.Seq, taken[run-1].rec.Seq, taken[0].attempts)
		if rest := taken[run:]; len(rest) > 0 {
			// The rest is not with the committer yet: the cursor must not pass it.
			it.Cursor, it.Due = min(it.Cursor, rest[0].rec.Seq-1), min(it.Due, taken[run-1].rec.Seq)
		}
		for _, p := range taken[:run] {
			it.records = append(it.records, p.rec)
		}
		taken = taken[run:]
		if len(taken) == 0 {
			it.done = make(chan struct{})
		}
		s.submitAck(it)
		last = it
	}
	return last
}
