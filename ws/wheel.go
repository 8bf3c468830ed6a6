package ws

import (
	"context"
	"sync"
	"time"
)

const (
	wheelTick  = 50 * time.Millisecond
	wheelSlots = 512
)

// wheel calls each session's tick when the session asked for it: one timer for all. A session is in it once in force;
// entries that a later, earlier request made void are recognised by Session.armed and dropped when their slot comes.
type wheel struct {
	now func() Millis

	mu    sync.Mutex
	slots [wheelSlots][]*Session
	hand  int64 // ticks done
}

func newWheel(now func() Millis) *wheel {
	return &wheel{now: now, hand: int64(now()) / wheelTick.Milliseconds()}
}

// arm makes sure that s ticks at or soon after t, or earlier if it was armed earlier. What lies beyond the horizon
// ticks early and is armed again by whoever looks then.
func (w *wheel) arm(s *Session, t Millis) {
	tick := int64(t)/wheelTick.Milliseconds() + 1
	if armed := s.armed.Load(); armed != 0 && armed <= tick {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	tick = min(max(tick, w.hand+1), w.hand+wheelSlots-1)
	if armed := s.armed.Load(); armed != 0 && armed <= tick {
		return
	}
	s.armed.Store(tick)
	slot := &w.slots[tick%wheelSlots]
	*slot = append(*slot, s)
}

// run turns the wheel until ctx ends.
func (w *wheel) run(ctx context.Context) {
	ticker := time.NewTicker(wheelTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.turn()
		}
	}
}

func (w *wheel) turn() {
	now := w.now()
	target := int64(now) / wheelTick.Milliseconds()
	for {
		due := w.take(target)
		if due == nil {
			return
		}
		for _, s := range due {
			s.guard(func() {
				if next := s.tick(now); next > 0 {
					w.arm(s, next)
				}
			})
		}
	}
}

// take advances the hand by one and returns the sessions whose time has come, or nil when the hand is at target.
func (w *wheel) take(target int64) []*Session {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hand >= target {
		return nil
	}
	// A clock that jumped far ahead needs one round only.
	w.hand = max(w.hand+1, target-wheelSlots+1)
	slot := &w.slots[w.hand%wheelSlots]
	due := make([]*Session, 0, len(*slot))
	for _, s := range *slot {
		if armed := s.armed.Load(); armed != 0 && armed <= w.hand {
			s.armed.Store(0)
			due = append(due, s)
		}
	}
	clear(*slot)
	*slot = (*slot)[:0]
	return due
}
