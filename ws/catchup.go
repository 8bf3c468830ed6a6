package ws

import (
	"context"
	"errors"
	"slices"
)

// ledgerRetry is how soon a read that failed is tried again.
const ledgerRetry Millis = 250

// schedule puts the session into the work queue, once. The caller holds mu.
func (s *Session) schedule() {
	if s.working {
		s.again = true
		return
	}
	s.working = true
	s.g.work.push(s)
}

// work does one step of what a session needs the ledger for, outside its lock, and queues it again if there is more.
func (s *Session) work(ctx context.Context) {
	more, err := s.step(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		more = false
		s.retryAt = s.g.mono() + ledgerRetry
		s.g.wheel.arm(s, s.retryAt)
	}
	s.working = false
	if (more || s.again) && !s.closing {
		s.again = false
		s.schedule()
	}
}

// step is one bounded piece of work; more says that another may follow at once.
func (s *Session) step(ctx context.Context) (more bool, err error) {
	if err := s.chores(ctx); err != nil {
		return false, err
	}
	var scanned bool
	var after ConversationID
	s.locked(func() { scanned, after = s.scanned, s.scanAfter })
	if !scanned {
		return true, s.scan(ctx, after)
	}
	t, from, to, count, bytes := s.nextPage()
	switch {
	case t == nil:
		return false, nil
	case from == 0:
		return true, s.placeTracks(ctx)
	}
	records, err := s.g.store.Page(ctx, t.id, from, to, count, bytes)
	if err != nil {
		return false, err
	}
	s.deliverPage(t, to, records)
	return true, nil
}

const scanLimit = 128

// scan finds, page by page, the conversations that hold something for a fresh session.
func (s *Session) scan(ctx context.Context, after ConversationID) error {
	positions, err := s.g.store.Behind(ctx, s.ref(), after, scanLimit)
	if err != nil {
		return err
	}
	if err := s.place(ctx, positions); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanned = len(positions) < scanLimit
	if n := len(positions); n > 0 {
		s.scanAfter = positions[n-1].Conversation.ID
	}
	return nil
}

func (s *Session) ref() DeviceRef { return DeviceRef{User: s.user, Device: s.device} }

// placeTracks reads where the device stands in the conversations that came up since.
func (s *Session) placeTracks(ctx context.Context) error {
	ids := s.unplacedTracks()
	positions, err := s.g.store.Positions(ctx, s.ref(), ids)
	if err != nil {
		return err
	}
	if err := s.place(ctx, positions); err != nil {
		return err
	}
	s.forget(ids)
	return nil
}

func (s *Session) unplacedTracks() (ids []ConversationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.behind {
		if t.phase == unplaced && len(ids) < scanLimit {
			ids = append(ids, t.id)
		}
	}
	return ids
}

// forget drops the tracks the ledger knows no stay for.
func (s *Session) forget(ids []ConversationID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if t := s.tracks[id]; t != nil && t.phase == unplaced {
			delete(s.tracks, id)
			s.behind = slices.DeleteFunc(s.behind, func(other *track) bool { return other == t })
		}
	}
}

// place puts tracks where the ledger says; a track that is placed already stays as it is.
func (s *Session) place(ctx context.Context, positions []Position) error {
	for _, p := range positions {
		receipts, err := s.g.store.ReceiptsAfter(ctx, s.ref(), p.Conversation.ID, p.Cursor.Seq)
		if err != nil {
			return err
		}
		s.placeTrack(p, receipts)
	}
	return nil
}

func (s *Session) placeTrack(p Position, receipts []Receipt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	if t := s.touch(p.Conversation.ID); t.phase == unplaced {
		t.place(p, receipts, s.user)
	}
}

// nextPage chooses what to read next: a track that is behind, round robin, and as much as the window has room for.
// A from of 0 asks for placeTracks; no track at all, for nothing until acknowledgements make room.
func (s *Session) nextPage() (t *track, from, to uint64, count, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, 0, 0, 0, 0
	}
	s.behind = slices.DeleteFunc(s.behind, func(t *track) bool { return t.phase == live })
	for _, t := range s.behind {
		if t.phase == unplaced {
			return t, 0, 0, 0, 0
		}
	}
	fits := slices.IndexFunc(s.behind, func(t *track) bool { return !t.taken && s.window.room(t.size()) })
	if fits < 0 {
		return nil, 0, 0, 0, 0
	}
	t = s.behind[fits]
	s.behind = append(slices.Delete(s.behind, fits, fits+1), t)
	t.outdated = false
	count = min(s.g.opt.PageRecords, max(1, s.window.maxCount-len(s.window.active)))
	bytes = min(s.g.opt.PageBytes, max(1, s.window.maxBytes-s.window.bytes))
	return t, t.next, t.head, count, bytes
}

// deliverPage pushes what was read, passes over what the device had, and turns the track live when it has reached the
// head, which may have moved meanwhile. What does not fit the window is read again when acknowledgements have made room, and
// all of it at once where it may show a message that was recalled meanwhile.
func (s *Session) deliverPage(t *track, to uint64, records []*Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || t.phase != behind || t.outdated {
		return
	}
	now := s.g.mono()
	kick, full := false, false
	f := getFrame()
	defer putFrame(f)
	for _, rec := range records {
		if rec.Seq < t.next {
			continue
		}
		if rec.Seq > t.next {
			t.pass(rec.Seq-1, now) // purged
		}
		if rec.Kind == KindRecall {
			s.withdraw(t, rec.Target)
		}
		switch {
		case t.acknowledged(rec.Seq):
			t.pass(rec.Seq, now)
			t.due = rec.Seq
		case s.needless(t, rec):
			t.pass(rec.Seq, now)
		case !s.window.room(len(rec.Body)):
			t.stuck, t.needs = rec.Seq, max(1, len(rec.Body))
			full = true
		default:
			f.b = s.g.shared(f.b[:0], rec, t.recipient(rec, s.user))
			kick = s.push(t, rec, f.b, PathLedger) || kick
		}
		if full {
			break
		}
	}
	if len(records) == 0 {
		t.pass(to, now) // purged to the end
	}
	t.settle()
	s.flush(t)
	if kick {
		s.writer.kick()
	}
}

// flush gives the committer the cursor of a track that passed over records. The caller holds mu: what the cursor
// covers was given to the committer before it.
func (s *Session) flush(t *track) {
	if t.stale == 0 || t.phase == unplaced {
		return
	}
	seq, due := s.cursor(t)
	t.stale = 0
	if seq <= t.written {
		return
	}
	t.written = seq
	item := &ackItem{origin: s, Ack: Ack{User: s.user, Device: s.device, Conversation: t.id, Cursor: seq, Due: due}}
	if err := s.g.committers.submit(item); err != nil && !errors.Is(err, errStopped) {
		s.g.log.Warn("a cursor was not written; it is derived again at the next connect", "session", s.id, "error", err)
	}
}
