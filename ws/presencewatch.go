package ws

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// watchEvery is how often changes of presence are told at most: those of one moment cost a socket one write.
	watchEvery = 200 * time.Millisecond
	// watchSweep is how often everybody who is watched is looked at, for changes that no doorbell told of; watchDoubt the same
	// while doorbells may be lost.
	watchSweep = 30 * time.Second
	watchDoubt = 2 * time.Second
	// watchAtOnce is how many are looked at in one pass, besides those of whom something is known to have changed.
	watchAtOnce = 2000
	// maxNoted bounds the users whose presence may have changed; beyond it everybody is looked at.
	maxNoted = 1 << 16
)

// presenceWatch tells sessions of the presence of the users they watch. Whoever learns that it may have changed notes the
// user; the run goroutine alone finds out how it stands, and answers and tells, so that an answer never crosses a change.
// What a user's own session ends and begins within the linger is not seen.
type presenceWatch struct {
	g    *Gateway
	wake chan struct{}
	ring ring

	mu        sync.Mutex
	noted     map[string]struct{} // users whose presence may have changed
	overflown bool                // there were more
	unsettled bool                // the registry may have lost routes, which are being put anew
	asks      []watchAsk
	left      []*Session // that have ended

	// The run goroutine's own:
	users    map[string]*watchedUser
	watchers map[*Session]*watcher
	marks    uint64 // subscriptions so far
	queue    []*watchedUser
	lingers  map[*watchedUser]Millis // when to look again whether somebody is back
	sweep    []*watchedUser          // who is left to look at
	sweptAt  Millis
	downAt   Millis // since when the registry does not answer; 0: it does
	blind    bool   // for so long that nothing is known any more
	settleAt Millis // until then routes may be missing that were lost
	present  []string
	kicks    []*watcher
	behind   map[*watcher]struct{} // that do not read, and were not told something
}

func newPresenceWatch(g *Gateway) *presenceWatch {
	return &presenceWatch{
		g: g, wake: make(chan struct{}, 1), ring: ring{g: g, noted: make(map[string]struct{})},
		noted: make(map[string]struct{}), users: make(map[string]*watchedUser), watchers: make(map[*Session]*watcher),
		lingers: make(map[*watchedUser]Millis), behind: make(map[*watcher]struct{}),
	}
}

// note notes users whose presence may have changed.
func (w *presenceWatch) note(users ...string) {
	w.change(func() {
		for _, user := range users {
			if len(w.noted) < maxNoted {
				w.noted[user] = struct{}{}
			} else {
				w.overflown = true
			}
		}
	})
}

// noteHere notes users of whom a session on this node began or ended, which other nodes have to learn too.
func (w *presenceWatch) noteHere(users ...string) {
	w.ring.note(users)
	w.note(users...)
}

// unsettle notes that the registry may have lost routes: until they were put anew, who is missing there is not offline.
func (w *presenceWatch) unsettle() { w.change(func() { w.unsettled = true }) }

func (w *presenceWatch) ask(a watchAsk) { w.change(func() { w.asks = append(w.asks, a) }) }

// ended ends the subscription of a session.
func (w *presenceWatch) ended(s *Session) { w.change(func() { w.left = append(w.left, s) }) }

func (w *presenceWatch) change(what func()) {
	w.mu.Lock()
	what()
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends.
func (w *presenceWatch) run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-w.wake:
		}
		w.pass()
		w.ring.send(ctx)
		pauseContext(ctx, watchEvery)
		ticker.Reset(watchEvery)
	}
}

// pass does what has come up: it takes subscriptions, looks at whoever may have changed, and tells.
func (w *presenceWatch) pass() {
	asks := w.take()
	w.heedRegistry()
	w.heedTime()
	w.look()
	for i := range asks {
		w.answer(&asks[i])
	}
	w.catchUp()
	for _, to := range w.kicks {
		to.kicked = false
		to.s.writer.kick()
	}
	clear(w.kicks)
	w.kicks = w.kicks[:0]
}

// take takes over what was noted, and returns the subscriptions that are to be answered.
func (w *presenceWatch) take() []watchAsk {
	w.mu.Lock()
	asks, left, noted, overflown, unsettled := w.asks, w.left, w.noted, w.overflown, w.unsettled
	w.asks, w.left, w.noted, w.overflown, w.unsettled = nil, nil, make(map[string]struct{}), false, false
	w.mu.Unlock()
	for i := range asks {
		w.subscribe(&asks[i])
	}
	for _, s := range left {
		w.unsubscribe(s)
	}
	for user := range noted {
		if u := w.users[user]; u != nil {
			w.enqueue(u)
		}
	}
	if overflown {
		w.sweepAll()
	}
	if unsettled {
		w.settle()
	}
	return asks
}

// heedRegistry notices that the registry is gone for longer than a moment, and that it is back.
func (w *presenceWatch) heedRegistry() {
	c := w.g.cluster
	now := w.g.mono()
	switch down := c != nil && c.routes.isDown(); {
	case down && w.downAt == 0:
		w.downAt = now
	case down && !w.blind && now >= w.downAt+w.linger():
		w.blind = true
		w.sweepAll()
	case !down && w.downAt != 0:
		w.downAt, w.blind = 0, false
		w.settle()
		w.sweepAll()
	}
}

// settle gives every node the time to put anew what the registry has lost.
func (w *presenceWatch) settle() { w.settleAt = w.g.mono() + 2*millis(w.g.opt.BeatEvery) + w.linger() }

// heedTime queues whose linger is over, and goes on with the sweep.
func (w *presenceWatch) heedTime() {
	now := w.g.mono()
	for u, at := range w.lingers {
		if at <= now {
			delete(w.lingers, u)
			w.enqueue(u)
		}
	}
	if w.settleAt != 0 && now >= w.settleAt {
		w.settleAt = 0
		w.sweepAll()
	}
	if w.g.cluster != nil && now >= w.sweptAt+w.sweepEvery() {
		w.sweepAll()
	}
	n := min(len(w.sweep), watchAtOnce)
	for _, u := range w.sweep[:n] {
		w.enqueue(u)
	}
	w.sweep = w.sweep[n:]
}

func (w *presenceWatch) sweepEvery() Millis {
	if w.g.cluster.doubtful() {
		return millis(watchDoubt)
	}
	return millis(watchSweep)
}

// sweepAll begins to look at everybody.
func (w *presenceWatch) sweepAll() {
	w.sweptAt = w.g.mono()
	w.sweep = slices.Collect(maps.Values(w.users))
}

// enqueue has somebody looked at in this pass.
func (w *presenceWatch) enqueue(u *watchedUser) {
	if !u.queued && len(u.watchers) > 0 {
		u.queued = true
		w.queue = append(w.queue, u)
	}
}

// look finds out how it stands with whoever is queued, with one question to the registry for many.
func (w *presenceWatch) look() {
	for some := range slices.Chunk(w.queue, presenceBatch) {
		names := make([]string, len(some))
		for i, u := range some {
			names[i] = u.openID
		}
		elsewhere, complete := w.g.elsewhere(names)
		for _, u := range some {
			u.queued = false
			w.see(u, elsewhere[u.openID], complete)
		}
	}
	clear(w.queue)
	w.queue = w.queue[:0]
}

// see compares what is known of somebody with how it stands now, and tells of the difference.
func (w *presenceWatch) see(u *watchedUser, elsewhere []Route, complete bool) {
	w.present = w.present[:0]
	for _, s := range w.g.hub.sessions(u.openID) {
		w.present = append(w.present, s.device)
	}
	for i := range elsewhere {
		w.present = append(w.present, elsewhere[i].Device)
	}
	now := w.g.mono()
	changed := false
	switch {
	case len(w.present) > 0 && !complete:
		changed = u.add(w.present)
	case !complete && (w.blind || !u.known), complete && u.unknown && len(w.present) == 0 && now < w.settleAt:
		changed = u.lose()
	case complete:
		changed = u.add(w.present)
		lost, again := u.remove(w.present, now, w.linger(), w.settleAt)
		changed = changed || lost
		if again > 0 {
			w.lingers[u] = again
		}
	}
	first := !u.known
	u.known = true
	if changed && !first {
		w.tell(u)
	}
}

func (w *presenceWatch) linger() Millis { return millis(max(0, w.g.opt.PresenceLinger)) }

// tell sends 24 to whoever watches. It is encoded once.
func (w *presenceWatch) tell(u *watchedUser) {
	f := &frame{b: w.append(nil, u), shared: true}
	for _, to := range u.watchers {
		if !w.send(to, f) && !slices.Contains(to.missed, u) {
			to.missed = append(to.missed, u)
			w.behind[to] = struct{}{}
		}
	}
}

// append appends 24, which says how it stands with somebody now.
func (w *presenceWatch) append(dst []byte, u *watchedUser) []byte {
	p := u.presence()
	p.At = int64(w.g.now())
	return protocol.AppendPresence(dst, w.g.dates, &p)
}

// send sends a frame, unless too many wait for the session's socket already.
func (w *presenceWatch) send(to *watcher, f *frame) bool {
	if _, bytes := to.s.writer.load(); bytes > w.g.opt.QueueBytes/2 {
		return false
	}
	if to.s.writer.enqueue(f) && !to.kicked {
		to.kicked = true
		w.kicks = append(w.kicks, to)
	}
	return true
}

// catchUp tells those who did not read, and do now, of whom they were not told.
func (w *presenceWatch) catchUp() {
	for to := range w.behind {
		for len(to.missed) > 0 {
			f := getFrame()
			f.b = w.append(f.b, to.missed[0])
			if !w.send(to, f) {
				putFrame(f)
				break
			}
			to.missed = to.missed[1:]
		}
		if len(to.missed) == 0 {
			delete(w.behind, to)
		}
	}
}
