package ws

import (
	"context"
	"errors"

	"github.com/yanlink/yanlink/ws/protocol"
)

// receiveSync handles frame 28: the marks are acknowledgements of everything due up to there, pending asks for proofs.
// It is answered with 29 once all of it is durable.
func (s *Session) receiveSync(f *protocol.Frame) error {
	s.pace.owe(len(f.Marks) + len(f.Pending)) // each is a question to the ledger
	ctx, cancel := s.g.readContext()
	defer cancel()
	done := protocol.SyncDone{ID: f.ID, Epoch: s.g.epoch, Reset: s.lostPlace(f.Marks)}
	if err := s.takeMarks(ctx, f.Marks, &done); err != nil {
		return err
	}
	if err := s.answerPending(ctx, f.Pending, &done); err != nil {
		return err
	}
	out := getFrame()
	out.b = protocol.AppendSyncDone(out.b, done)
	s.reply(out)
	return nil
}

// lostPlace reports whether a device that is new to the ledger remembers positions this session has not shown it: its
// cursors are gone, for instance because it was away so long that it gave way to others.
func (s *Session) lostPlace(marks []protocol.Mark) bool {
	if !s.newDevice {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, mark := range marks {
		t := s.tracks[mark.Conversation]
		if mark.Seq > 0 && (t == nil || mark.Seq >= t.next || mark.Seq <= t.start) {
			return true
		}
	}
	return false
}

// takeMarks submits all marks before it waits for any, so that they share commits.
func (s *Session) takeMarks(ctx context.Context, marks []protocol.Mark, done *protocol.SyncDone) error {
	items := make([]*ackItem, len(marks))
	for i, mark := range marks {
		if mark.Seq == 0 {
			continue
		}
		final := &ackItem{done: make(chan struct{})}
		err := s.ackThrough(ctx, mark.Conversation, mark.Seq, final)
		if err == nil {
			items[i] = final
		} else if err := refusedMark(mark, err, done); err != nil {
			return err
		}
	}
	for i, it := range items {
		if it == nil {
			continue
		}
		err := it.await(ctx)
		if err == nil {
			done.Marks++
		} else if err := refusedMark(marks[i], err, done); err != nil {
			return err
		}
	}
	return nil
}

// refusedMark notes a mark that moved nothing; what may succeed later fails the whole sync.
func refusedMark(mark protocol.Mark, err error, done *protocol.SyncDone) error {
	var coded *protocol.Error
	if !errors.As(err, &coded) || coded.Code.Temporary() {
		return err
	}
	done.Errors = append(done.Errors, protocol.MarkError{Conversation: mark.Conversation, Err: coded})
	return nil
}

// answerPending sends a 17 for each message that has a receipt; the rest is waiting or gone.
func (s *Session) answerPending(ctx context.Context, pending []MessageID, done *protocol.SyncDone) error {
	for _, id := range pending {
		rec, err := s.g.store.Record(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err != nil || rec.Sender != s.user || rec.Kind != KindMessage {
			done.Gone = append(done.Gone, id)
			continue
		}
		receipt, found, err := s.g.findProof(ctx, rec)
		switch {
		case err != nil:
			return err
		case found:
			s.proved(id)
			done.Proofs++
			s.reply(s.proof(proofOf(rec, receipt.User, receipt.Device, receipt.At)))
			if !s.writer.awaitRoom(s.g.opt.QueueBytes / 2) {
				return errStopped
			}
		case rec.RecalledAt != 0 || expired(rec, s.g.now()):
			done.Gone = append(done.Gone, id)
		default:
			done.Waiting = append(done.Waiting, id)
		}
	}
	return nil
}
