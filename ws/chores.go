package ws

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/yanlink/yanlink/ws/protocol"
)

// auditEvery is how often the slow pass of the reconciler looks at a session, and auditSlack its jitter.
const (
	auditEvery Millis = 60_000
	auditSlack Millis = 30_000
	proofEvery Millis = 5_000
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
	if audit && len(s.unproved) == 0 {
		s.auditAt = s.slowAt
	}
	token := s.token
	s.mu.Unlock()
	if recheck {
		s.recheck(ctx, token)
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

// recheck asks again whether the session's token still counts. Only a clear no ends the session.
func (s *Session) recheck(ctx context.Context, token string) {
	identity, err := s.g.opt.Authenticate(ctx, token)
	switch {
	case errors.Is(err, ErrInvalidToken), err == nil && identity.OpenID != s.user:
		s.close(protocol.CloseTokenEnded, "the token has ended")
	case errors.Is(err, protocol.NewError(protocol.Forbidden, "")):
		s.close(protocol.CloseForbidden, "not allowed any more")
	}
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
	if t.phase == live && t.next <= head {
		t.head = max(t.head, head)
		s.fallBehind(t)
	}
}
