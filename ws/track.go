package ws

import "slices"

// phase is how a session stands to a conversation.
type phase uint8

const (
	// unplaced: the position has to be read from the ledger first.
	unplaced phase = iota
	// behind: CATCH-UP; the ledger is read in pages as acknowledgements make room.
	behind
	// live: LIVE; next is the next record to come.
	live
)

// track is a session's place in one conversation. It is guarded by the session's lock.
type track struct {
	id       ConversationID
	kind     ConversationKind
	peer     string // the other one of a direct conversation
	phase    phase
	next     uint64 // everything below was pushed, or needs no push
	head     uint64 // the highest seq known to exist
	due      uint64 // the highest seq below next that was due to the device; 0: none. The prevSeq of the next push
	stays    []Stay
	had      seqRuns   // acknowledged earlier, past the cursor: not pushed again
	early    []*Record // came before their time, by seq
	taken    bool      // a mark is acknowledging what is not pushed yet: CATCH-UP waits for it
	outdated bool      // something was recalled since the page under way was asked for
	stuck    uint64    // the seq that did not fit the window last
	needs    int       // its bytes
	waits    bool      // early is not empty, and counted in Session.waiting
	since    Millis    // when the first of early came

	late    []uint64 // seqs below next that were acknowledged without having been pushed, the latest maxLate
	start   uint64   // the cursor the session found
	written uint64   // the cursor as last given to the committer
	stale   Millis   // since when the cursor lags behind what was passed over; 0: it does not
}

// maxLate bounds track.late; of one that is forgotten, a repeat before its commit causes a second proof.
const maxLate = 64

// maxEarly bounds track.early; beyond it CATCH-UP is the better way.
const maxEarly = 16

// place puts the track where the ledger says the device stands.
func (t *track) place(p Position, receipts []Receipt, user string) {
	t.kind = p.Conversation.Kind
	t.peer = p.Conversation.Peer(user)
	if t.next == 0 {
		t.start = p.Cursor.Seq
	}
	// A track that is placed anew, since the user joined or left, keeps what it has pushed.
	if start := max(p.Cursor.Seq, p.Conversation.First-1); start >= t.next {
		t.next = start + 1
		t.due = p.Cursor.Due
	}
	t.written = max(t.written, p.Cursor.Seq)
	t.head = max(t.head, p.Conversation.Last)
	t.stays = p.Stays
	if n := len(p.Stays); n > 0 && p.Stays[n-1].Left != 0 {
		t.head = min(t.head, p.Stays[n-1].Left)
	}
	t.had = runsOf(receipts)
	t.phase = behind
	t.settle()
}

// size is what the window has to have room for if reading on is to be worth it.
func (t *track) size() int {
	if t.stuck == t.next {
		return t.needs
	}
	return 1
}

// settle turns a track live when nothing is left to read.
func (t *track) settle() {
	if t.phase == behind && t.next > t.head {
		t.phase = live
		t.had = nil
	}
}

// acknowledged reports whether the device acknowledged seq in an earlier session.
func (t *track) acknowledged(seq uint64) bool {
	return t.had.has(seq)
}

// inside reports whether seq lies in one of the user's stays.
func (t *track) inside(seq uint64) bool {
	return slices.ContainsFunc(t.stays, func(s Stay) bool { return s.Covers(seq) })
}

// pass moves beyond seq, which needs no push.
func (t *track) pass(seq uint64, now Millis) {
	t.next = max(t.next, seq+1)
	if t.stale == 0 {
		t.stale = now
	}
}

// keepEarly keeps a record that came before its time; false means there are too many.
func (t *track) keepEarly(rec *Record, now Millis) bool {
	if len(t.early) >= maxEarly {
		return false
	}
	if len(t.early) == 0 {
		t.since = now
	}
	at, found := slices.BinarySearchFunc(t.early, rec.Seq, func(r *Record, seq uint64) int {
		return int(int64(r.Seq) - int64(seq))
	})
	if !found {
		t.early = slices.Insert(t.early, at, rec)
	}
	return true
}

// takenBack reports whether a record that came early recalls seq: two nodes told of them in another order than they were
// committed in.
func (t *track) takenBack(seq uint64) bool {
	return len(t.early) > 0 && slices.ContainsFunc(t.early, func(r *Record) bool { return r.Kind == KindRecall && r.Target == seq })
}

// takeEarly returns the kept record whose time has come, or nil.
func (t *track) takeEarly() *Record {
	for len(t.early) > 0 && t.early[0].Seq <= t.next {
		rec := t.early[0]
		t.early = t.early[1:]
		if rec.Seq == t.next {
			return rec
		}
	}
	if len(t.early) == 0 {
		t.early = nil
	}
	return nil
}
