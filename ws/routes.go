package ws

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// routesAtOnce is how many routes one call to the registry takes.
	routesAtOnce = 500
	// maxRouteRemovals bounds the removals that wait for a registry that does not answer; what does not fit is left to
	// the next life of this node, or to whoever reaps it.
	maxRouteRemovals = 1 << 16
)

// routeKeeper keeps the registry's routes of this node equal to its hub. Its run goroutine alone writes them, so that a
// removal never overtakes what it removes.
type routeKeeper struct {
	g        *Gateway
	registry Registry
	wake     chan struct{}

	down atomic.Bool // the registry does not answer: until a beat gets through it is not asked

	mu       sync.Mutex
	puts     []*Session
	removals []Route
	stale    bool   // the registry may have lost routes: all are put again
	lost     bool   // it had lost this node, and others may have told that nobody is here
	met      bool   // it has answered before
	steady   Millis // monotonic: since when it has answered, and known this node
	brokenAt Millis // monotonic: when it was found to have lost routes, or to be back
}

func newRouteKeeper(g *Gateway) *routeKeeper {
	return &routeKeeper{g: g, registry: g.opt.Registry, wake: make(chan struct{}, 1)}
}

// put records the route of a session that is in the hub, and has the session begin to read once that is done, or once the
// registry counts as down. Lookups run after the commit, so either they see the route or the session sees the record.
func (r *routeKeeper) put(s *Session) { r.change(func() { r.puts = append(r.puts, s) }) }

// remove removes the route of a session that is out of the hub.
func (r *routeKeeper) remove(s *Session) {
	r.change(func() {
		if len(r.removals) < maxRouteRemovals {
			r.removals = append(r.removals, s.route())
		}
	})
}

func (s *Session) route() Route {
	return Route{
		User: s.user, Device: s.device, SessionID: s.id, Node: s.g.opt.NodeID, Incarnation: s.g.opt.Incarnation,
		Epoch: s.epoch, Since: s.since,
	}
}

func (r *routeKeeper) change(what func()) {
	r.mu.Lock()
	what()
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// answered notes a beat that got through. anew says that all routes have to be put again.
func (r *routeKeeper) answered(anew bool) {
	r.change(func() {
		if anew && r.met {
			r.lost = true
			r.g.watch.unsettle()
		}
		back := r.down.Load()
		if r.g.outbox != nil && (back || anew && r.met) {
			r.g.outbox.presences.unsettle() // before anybody is looked for again
		}
		if back || anew {
			r.steady = r.g.mono()
		}
		if back || anew && r.met {
			r.brokenAt = r.g.mono()
		}
		r.met = true
		r.down.Store(false)
		if back {
			r.g.log.Info("the registry can be used again; every route is put anew")
		}
		r.stale = r.stale || anew || back
	})
}

// failed notes that the registry did not answer.
func (r *routeKeeper) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.down.Swap(true) {
		r.g.log.Warn("the registry cannot be used; delivery goes on through the ledger", "error", err)
	}
	r.stale = true
}

func (r *routeKeeper) isDown() bool { return r.down.Load() }

// settled reports whether every node has had the time to put anew what the registry had lost.
func (r *routeKeeper) settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.brokenAt == 0 || r.g.mono()-r.brokenAt >= reapAfter*millis(r.g.opt.BeatEvery)
}

// steadyFor returns for how long the registry has answered without a break.
func (r *routeKeeper) steadyFor() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(r.g.mono()-r.steady) * time.Millisecond
}

// run works until ctx ends. A call to the registry is not cut short by that: it would count as one that failed, and the rest
// would be left undone.
func (r *routeKeeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
			r.flush(context.WithoutCancel(ctx))
		}
	}
}

// flush does what has come up.
func (r *routeKeeper) flush(ctx context.Context) {
	r.putAnew(ctx)
	for {
		puts, removals := r.take()
		if len(puts)+len(removals) == 0 {
			return
		}
		r.record(ctx, puts)
		if !r.erase(ctx, removals) {
			return
		}
	}
}

// take returns the next sessions to put, and the removals once no put is before them.
func (r *routeKeeper) take() (puts []*Session, removals []Route) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.puts), routesAtOnce)
	puts, r.puts = r.puts[:n:n], r.puts[n:]
	if len(r.puts) > 0 || r.isDown() {
		return puts, nil
	}
	n = min(len(r.removals), routesAtOnce)
	removals, r.removals = r.removals[:n:n], r.removals[n:]
	return puts, removals
}

func (r *routeKeeper) record(ctx context.Context, sessions []*Session) {
	if !r.isDown() {
		r.tell(ctx, sessions)
	}
	for _, s := range sessions {
		s.read()
	}
}

// tell puts the routes of sessions and ends those that gave way to a newer session of the same device.
func (r *routeKeeper) tell(ctx context.Context, sessions []*Session) {
	if len(sessions) == 0 {
		return
	}
	routes := make([]Route, len(sessions))
	for i, s := range sessions {
		routes[i] = s.route()
	}
	ctx, cancel := context.WithTimeout(ctx, r.g.opt.RegistryTimeout)
	defer cancel()
	displaced, err := r.registry.Put(ctx, routes)
	if err != nil {
		r.failed(err)
	}
	r.displace(displaced)
}

// displace ends sessions that gave way, with one body for each node: after the death of another one thousands of them may
// have been there.
func (r *routeKeeper) displace(routes []Route) {
	bodies := make(doorbells)
	for i := range routes {
		route := &routes[i]
		end := &endBell{
			user: route.User, session: route.SessionID, code: protocol.CloseReplaced,
			reason: replacedReason,
		}
		if route.Node == r.g.opt.NodeID {
			r.g.end(end)
			continue
		}
		bodies.add(r.g.cluster.forwarder, post{route.Node, route.Incarnation}, LaneNotices, end.append)
	}
	bodies.leave(r.g.cluster.forwarder, LaneNotices)
}

// erase reports whether the removals are done; else they wait for the registry to come back.
func (r *routeKeeper) erase(ctx context.Context, removals []Route) bool {
	if len(removals) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, r.g.opt.RegistryTimeout)
	defer cancel()
	if err := r.registry.Remove(ctx, removals); err != nil {
		r.failed(err)
		r.mu.Lock()
		r.removals = append(removals, r.removals...)
		r.mu.Unlock()
		return false
	}
	r.left(removals)
	return true
}

// putAnew puts every route again when the registry may have lost some.
func (r *routeKeeper) putAnew(ctx context.Context) {
	r.mu.Lock()
	due, lost := r.stale && !r.isDown(), r.lost
	if due {
		r.stale, r.lost = false, false
	}
	r.mu.Unlock()
	if !due {
		return
	}
	began := time.Now()
	sessions := r.g.hub.all()
	for rest := sessions; len(rest) > 0 && !r.isDown(); {
		n := min(len(rest), routesAtOnce)
		r.tell(ctx, rest[:n])
		rest = rest[n:]
	}
	if r.isDown() {
		r.change(func() { r.lost = r.lost || lost })
		return
	}
	if len(sessions) > 0 {
		r.g.log.Info("routes were put anew", "sessions", len(sessions), "took", time.Since(began))
	}
	if lost {
		r.returned(sessions)
	}
	r.prune(ctx, sessions)
}

// returned tells of the users of sessions that are here after all.
func (r *routeKeeper) returned(sessions []*Session) {
	r.g.watch.noteHere(usersOn(sessions)...)
	if r.g.outbox != nil {
		r.g.outbox.presences.returned()
	}
}

// prune removes what a registry that came back from an older copy has of sessions which ended since. live are all that are
// in the hub; a route of another one cannot come up meanwhile, since this goroutine would put it.
func (r *routeKeeper) prune(ctx context.Context, live []*Session) {
	ids := make(map[string]bool, len(live))
	for _, s := range live {
		ids[s.id] = true
	}
	// It goes through as many routes as there are sessions, and more where many have ended.
	rounds := time.Duration(2 + 2*len(live)/routesAtOnce)
	ctx, cancel := context.WithTimeout(ctx, rounds*r.g.opt.RegistryTimeout)
	defer cancel()
	gone, err := r.registry.Prune(ctx, r.g.self(), func(sessionID string) bool { return ids[sessionID] })
	if err != nil {
		r.failed(err)
	}
	if len(gone) > 0 {
		r.g.log.Info("the registry had routes of sessions that are over", "sessions", len(gone))
	}
	r.left(gone)
	if o := r.g.outbox; o != nil {
		o.presences.leftBehind(slices.DeleteFunc(gone, func(route Route) bool { return route.Incarnation != 0 }))
	}
}

// left tells who watches their users that routes are removed: now that the others do not find them any more.
func (r *routeKeeper) left(routes []Route) {
	for i := range routes {
		r.g.watch.noteHere(routes[i].User)
	}
}
