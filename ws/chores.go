package ws

import (
	"context"
	"math/rand/v2"
)

const (
	// auditEvery is how often the slow pass of the reconciler looks at a session, and auditSlack its jitter.
	auditEvery Millis = 60_000
	auditSlack Millis = 30_000
	// proofEvery is how often sends without a proof are looked at.
	proofEvery Millis = 5_000
	// seenEvery is how often a connected device's last_seen is written; ephemeral ones at each slow pass.
	seenEvery Millis = 3_600_000
)

// chores does the session's regular reads: the slow pass, lost proofs, the re-check of its token.
func (s *Session) chores(ctx context.Context) error {
	now := s.g.mono()
	s.mu.Lock()
	recheck := s.recheckAt != 0 && s.recheckAt <= now
	audit := s.auditAt != 0 && s.auditAt <= now
	if recheck {
		s.recheckAt = now + millis(s.g.opt.RecheckEvery)
	}
	full := audit && s.slowAt <= now
	if audit {
		s.auditAt = now + proofEvery
	}
	if full {
		s.slowAt = now + auditEvery + rand.N(auditSlack)
	}
	seen := full && (s.seenAt <= now || EphemeralDevice(s.device))
	if seen {
		s.seenAt = now + seenEvery
	}
	if audit && len(s.unproved) == 0 {
		s.auditAt = s.slowAt
	}
	token := s.token
	s.mu.Unlock()
	if recheck {
		s.g.recheck(s, token)
	}
	if seen {
		s.g.seenDevice(s)
	}
	if audit {
		if err := s.checkProofs(ctx); err != nil {
			return err
		}
	}
	if full {
		return s.audit(ctx)
	}
	return nil
}

// audit is the slow pass: is anything past the device's cursor that nobody is sending?
func (s *Session) audit(ctx context.Context) error {
	var after ConversationID
	for {
		positions, err := s.g.store.Behind(ctx, s.ref(), after, scanLimit)
		if err != nil {
			return err
		}
		for i := range positions {
			s.hear(positions[i].Conversation.ID, positions[i].Conversation.Last)
			after = positions[i].Conversation.ID
		}
		if len(positions) < scanLimit {
			return nil
		}
	}
}

// hear tells the session that a conversation has come as far as head. If it knew, nothing happens.
func (s *Session) hear(id ConversationID, head uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || !s.scanned {
		return
	}
	t := s.touch(id)
	t.head = max(t.head, head)
	if t.phase == live && t.next <= head {
		s.fallBehind(t)
	}
}
