package ws

import "context"

const (
	// doubtfulProofEvery is how often sends without a proof are looked at while notices may be lost.
	doubtfulProofEvery Millis = 1_000
	// seenEvery is how often a connected device's last_seen is written, and seenEphemeral that of an ephemeral one.
	seenEvery     Millis = 3_600_000
	seenEphemeral Millis = 60_000
)

// chores does what a session has to do regularly, and what the slow pass asks of it.
func (s *Session) chores(ctx context.Context) error {
	now := s.g.mono()
	var recheck, seen, proofs, audit bool
	var token string
	s.locked(func() {
		recheck = s.due(&s.recheckAt, now, s.g.nextRecheck(now)-now)
		seen = s.due(&s.seenAt, now, s.seenEvery())
		proofs = len(s.unproved) > 0 && s.due(&s.proofAt, now, s.g.proofEvery())
		audit, s.lagging = s.lagging, false
		token = s.token
	})
	if recheck {
		s.g.recheck(s, token)
	}
	if seen {
		s.g.WriteLater(s.seenDevice())
	}
	if proofs {
		if err := s.checkProofs(ctx); err != nil {
			return err
		}
	}
	if audit {
		return s.audit(ctx)
	}
	return nil
}

// due reports whether at, if it is set, has come, and sets the next time. The caller holds mu.
func (s *Session) due(at *Millis, now, every Millis) bool {
	if *at == 0 || *at > now {
		return false
	}
	*at = now + every
	s.g.wheel.arm(s, *at)
	return true
}

func (g *Gateway) proofEvery() Millis {
	if g.cluster.doubtful() {
		return doubtfulProofEvery
	}
	return millis(g.opt.ProofEvery)
}

func (s *Session) seenEvery() Millis {
	if EphemeralDevice(s.device) {
		return seenEphemeral
	}
	return seenEvery
}

// auditSoon has the session look into the ledger for what nobody is sending.
func (s *Session) auditSoon() {
	defer s.survive()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.lagging = true
		s.schedule()
	}
}

// audit finds what the slow pass has seen: is anything past the device's cursor that nobody is sending?
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
	defer s.survive()
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
