package ws

// offer gives a session a record that was just committed, or came over the bus. shared is the record's encoded shared
// part, path how it came. It reports whether the session's writer has to be kicked. LIVE and CATCH-UP are told apart here.
func (s *Session) offer(rec *Record, shared []byte, path Path) (kick bool) {
	defer s.survive()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	t := s.touch(rec.Conversation)
	if rec.Kind == KindRecall {
		s.withdraw(t, rec.Target)
		t.outdated = true
	}
	if changesStay(rec, s.user) && t.phase != unplaced {
		s.displace(t)
	}
	t.head = max(t.head, rec.Seq)
	switch {
	case t.phase != live || rec.Seq < t.next:
		return false
	case rec.Seq > t.next:
		s.wait(t, rec)
		return false
	}
	kick = s.deliver(t, rec, shared, path)
	return s.deliverEarly(t, path) || kick
}

// withdraw makes room where a record was recalled that waits for its acknowledgement, or for room. The caller holds mu.
func (s *Session) withdraw(t *track, seq uint64) {
	if p, found := s.window.takeID(MessageID{Conversation: t.id, Seq: seq}); found {
		s.window.unlink(p)
	}
	if t.stuck == seq {
		t.stuck = 0
	}
	s.readOn()
}

// touch returns the session's track of a conversation, a new one if need be. The caller holds mu.
func (s *Session) touch(id ConversationID) *track {
	t := s.tracks[id]
	if t == nil {
		s.trim()
		t = &track{id: id}
		s.tracks[id] = t
		s.behind = append(s.behind, t)
		s.schedule()
	}
	return t
}

const (
	// maxTracks is how many conversations a session keeps its place in; beyond it those at rest are read again when
	// something comes up.
	maxTracks = 4096
	// trimLook is how many are looked at to find one at rest.
	trimLook = 16
)

// trim makes room for a track. The caller holds mu.
func (s *Session) trim() {
	if len(s.tracks) < maxTracks {
		return
	}
	looked := 0
	for id, t := range s.tracks {
		if t.phase == live && len(t.early) == 0 && s.window.lowest(t) == nil {
			s.flush(t)
			delete(s.tracks, id)
			return
		}
		if looked++; looked == trimLook {
			return
		}
	}
}

// deliver pushes the record whose time it is, passes over it if the device had it, or turns to CATCH-UP if the window
// is full. The caller holds mu; t is live and rec.Seq is its next.
func (s *Session) deliver(t *track, rec *Record, shared []byte, path Path) (kick bool) {
	switch {
	case s.needless(t, rec):
		t.pass(rec.Seq, s.g.mono())
		return false
	case !s.window.room(len(rec.Body)):
		s.g.opt.Metrics.WindowFull()
		s.fallBehind(t)
		return false
	}
	return s.push(t, rec, shared, path)
}

// deliverEarly delivers the records that waited for the one before them.
func (s *Session) deliverEarly(t *track, path Path) (kick bool) {
	if len(t.early) == 0 {
		return false
	}
	for t.phase == live {
		rec := t.takeEarly()
		if rec == nil {
			break
		}
		f := getFrame()
		f.b = s.g.shared(f.b, rec, t.recipient(rec, s.user))
		kick = s.deliver(t, rec, f.b, path) || kick
		putFrame(f)
	}
	if len(t.early) == 0 {
		s.stopWaiting(t)
	}
	return kick
}

// stopWaiting forgets the track's early records.
func (s *Session) stopWaiting(t *track) {
	t.early = nil
	if t.waits {
		t.waits = false
		s.waiting--
	}
}

// wait keeps a record that came before its time.
func (s *Session) wait(t *track, rec *Record) {
	now := s.g.mono()
	if !t.keepEarly(rec, now) {
		s.fallBehind(t)
		return
	}
	if !t.waits {
		t.waits = true
		s.waiting++
		s.g.wheel.arm(s, now+millis(s.g.opt.EarlyWait))
	}
}

// fallBehind turns a live track to CATCH-UP. The caller holds mu.
func (s *Session) fallBehind(t *track) {
	s.stopWaiting(t)
	t.phase = behind
	s.behind = append(s.behind, t)
	s.g.opt.Metrics.CatchUp()
	if s.window.low() {
		s.schedule()
	}
}

// changesStay reports whether rec begins or ends a stay of user.
func changesStay(rec *Record, user string) bool {
	return (rec.Kind == KindJoined || rec.Kind == KindLeft) && rec.Subject == user || rec.Kind == KindDissolved
}

// displace has the track's stays read again. The caller holds mu.
func (s *Session) displace(t *track) {
	if t.phase == live {
		s.fallBehind(t)
	}
	t.phase = unplaced
	s.schedule()
}

// needless reports whether the device has had rec without being sent it: design.md, "Had".
func (s *Session) needless(t *track, rec *Record) bool {
	own := rec.Sender == s.user && (rec.SenderDevice == s.device || s.g.opt.NoSenderDevices)
	return own || rec.RecalledAt != 0 || t.takenBack(rec.Seq) || expired(rec, s.g.now()) || !t.inside(rec.Seq) || rec.Kind != KindMessage && !s.v1
}

func expired(rec *Record, now Millis) bool { return rec.ExpireAt != 0 && rec.ExpireAt <= now }

// recipient returns who stands as the receiver in rec's envelope when user's device gets it: the peer in what user sent.
func (t *track) recipient(rec *Record, user string) string {
	if t.kind == Direct && rec.Sender == user {
		return t.peer
	}
	return user
}
