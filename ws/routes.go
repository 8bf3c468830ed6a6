package ws

import (
	"context"
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
	stale    bool // the registry may have lost routes: all are put again
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
		back := r.down.Swap(false)
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

// run works until ctx ends.
func (r *routeKeeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
			r.flush(ctx)
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
	for i := range displaced {
		r.displace(&displaced[i])
	}
}

func (r *routeKeeper) displace(route *Route) {
	end := &endBell{
		user: route.User, session: route.SessionID, code: protocol.CloseReplaced,
		reason: "a newer session of the same device took over",
	}
	if route.Node == r.g.opt.NodeID {
		r.g.end(end)
		return
	}
	body := end.append(newDoorbell(route.Incarnation))
	r.g.cluster.forwarder.publish(route.Node, LaneNotices, body)
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
	return true
}

// putAnew puts every route again when the registry may have lost some.
func (r *routeKeeper) putAnew(ctx context.Context) {
	r.mu.Lock()
	due := r.stale && !r.isDown()
	if due {
		r.stale = false
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
	if len(sessions) > 0 && !r.isDown() {
		r.g.log.Info("routes were put anew", "sessions", len(sessions), "took", time.Since(began))
	}
}
