package ws

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

// socketBusy is how soon a resend is looked at again that would only queue behind frames the socket has not taken.
const socketBusy Millis = 500

// idleTick is how often a session is looked at when nothing else asks for it.
const idleTick Millis = 20_000

func millis(d time.Duration) Millis { return Millis(d.Milliseconds()) }

// resendAfter returns how long the n-th push of a record waits for its acknowledgement: doubling, jittered by a tenth.
func (g *Gateway) resendAfter(n uint32) Millis {
	wait := g.opt.ResendAfter << (n - 1)
	return millis(wait + time.Duration((rand.Float64()-0.5)*0.2*float64(wait)))
}

// tick does what time asks of a session, and returns when to look again; 0: never. The wheel calls it.
func (s *Session) tick(now Millis) (next Millis) {
	next, end := s.look(now)
	if end != nil {
		s.close(end.code, end.reason)
	}
	return next
}

func (s *Session) look(now Millis) (next Millis, end *ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		if now < s.closeBy {
			return s.closeBy, nil
		}
		s.cut()
		return 0, nil
	}
	if end := s.overdue(now); end != nil {
		return 0, end
	}
	next = now + idleTick
	for _, look := range []func(Millis) Millis{s.resend, s.expireEarly, s.flushCursors, s.callChores} {
		if at := look(now); at > 0 {
			next = min(next, at)
		}
	}
	return min(next, Millis(s.seen.Load())+millis(s.g.opt.HeartbeatAfter)+1), nil
}

// ending is why the engine closes a session.
type ending struct {
	code   int
	reason string
}

// overdue reports why the session has to end: no sign of life, or no acknowledgement at all of what was sent as often
// as allowed. The caller holds mu.
func (s *Session) overdue(now Millis) *ending {
	unread := int(s.inFlight.Load()) > s.g.opt.InFlight // it is we who do not read
	if !unread && now-Millis(s.seen.Load()) > millis(s.g.opt.HeartbeatAfter) {
		return &ending{code: protocol.CloseNoHeartbeat, reason: "no sign of life"}
	}
	for i := range s.window.active {
		p := &s.window.active[i]
		if p.due <= now && int(p.attempts) > s.g.opt.Resends && s.lastAck < p.first {
			return s.zombie()
		}
	}
	if len(s.window.resting) >= s.window.maxCount {
		return s.zombie()
	}
	return nil
}

func (s *Session) zombie() *ending {
	wait := s.g.zombies.next(s.ref())
	return &ending{code: protocol.CloseAcksNothing, reason: fmt.Sprintf(`{"retryAfterMs":%d}`, wait.Milliseconds())}
}

// resend pushes again what was not acknowledged in time; what was pushed as often as allowed rests until the next session.
func (s *Session) resend(now Millis) (next Millis) {
	kick, busy := false, s.busy()
	for i := 0; i < len(s.window.active); {
		p := &s.window.active[i]
		switch {
		case p.due > now:
		case int(p.attempts) > s.g.opt.Resends:
			s.g.opt.Metrics.Rested()
			s.g.log.Warn("a record rests: the client acknowledges others, not this one",
				"session", s.id, "messageId", p.rec.ID().String(), "pushes", p.attempts)
			s.window.rest(i)
			continue
		case busy:
			p.due = now + socketBusy
		default:
			p.attempts++
			p.due = now + s.g.resendAfter(p.attempts)
			kick = s.repush(p) || kick
		}
		if next == 0 || p.due < next {
			next = p.due
		}
		i++
	}
	if kick {
		s.writer.kick()
	}
	if len(s.behind) > 0 && s.window.room(1) {
		s.schedule() // other conversations may keep the window from ever becoming low
	}
	return next
}

func (s *Session) busy() bool {
	frames, _ := s.writer.load()
	return frames > 0
}

func (s *Session) repush(p *pushed) (kick bool) {
	f := getFrame()
	defer putFrame(f)
	f.b = s.g.shared(f.b, p.rec, p.track.recipient(p.rec, s.user))
	s.g.opt.Metrics.Pushed(PathResend)
	return s.write(p, f.b)
}

// expireEarly turns to CATCH-UP where the record before an early one did not come in time.
func (s *Session) expireEarly(now Millis) (next Millis) {
	if s.waiting == 0 {
		return 0
	}
	wait := millis(s.g.opt.EarlyWait)
	for _, t := range s.tracks {
		switch {
		case len(t.early) == 0:
		case t.since+wait <= now:
			s.fallBehind(t)
		case next == 0 || t.since+wait < next:
			next = t.since + wait
		}
	}
	return next
}

// flushCursors writes the cursors that have lagged behind for long.
func (s *Session) flushCursors(now Millis) (next Millis) {
	every := millis(s.g.opt.CursorEvery)
	if now >= s.flushAt {
		s.flushAt = now + every
		for _, t := range s.tracks {
			if t.stale != 0 && t.stale+every <= now {
				s.flush(t)
			}
		}
	}
	return s.flushAt
}

// callChores wakes the worker when a read of the ledger is due.
func (s *Session) callChores(now Millis) (next Millis) {
	due := func(at *Millis) {
		switch {
		case *at == 0:
		case *at <= now:
			s.schedule()
		case next == 0 || *at < next:
			next = *at
		}
	}
	due(&s.recheckAt)
	due(&s.seenAt)
	if len(s.unproved) > 0 {
		due(&s.proofAt)
	}
	if s.retryAt != 0 && s.retryAt <= now {
		s.retryAt = 0
		s.schedule()
	}
	due(&s.retryAt)
	return next
}
