package ws

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// absentFor is for how many beats in a row a node has to be missing from the roll until its routes count for nobody. Whoever is
	// only late, or has just joined, is back by then; whoever is dead was reaped.
	absentFor = 2
	// absentForgotten is how long a node is looked for whose routes nobody meets any more.
	absentForgotten = 10 * time.Minute
)

// roll is who lives in the cluster, as the registry said a moment ago. It is safe for concurrent use.
type roll struct {
	g *Gateway

	mu     sync.Mutex // held by whoever asks: the others want the same answer
	nodes  []Node
	sure   bool   // it answered when it was asked last
	asked  Millis // when that was; monotonic, as all that follows
	askAt  Millis // when to ask again
	absent map[post]absence
}

// absence is that of a node whose routes were met.
type absence struct {
	since Millis // when the first of the answers was there that all lacked it
	met   Millis // when its routes were met last
}

func newRoll(g *Gateway) *roll { return &roll{g: g, absent: make(map[post]absence)} }

// others returns the nodes beside this one.
func (r *roll) others(ctx context.Context) []Node {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh(ctx)
	return slices.DeleteFunc(slices.Clone(r.nodes), func(n Node) bool { return n.ID == r.g.opt.NodeID })
}

// listsSelf reports whether the registry knows this node: one that was emptied does not, until the next beat.
func (r *roll) listsSelf(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh(ctx)
	return r.lists(post{r.g.opt.NodeID, r.g.opt.Incarnation})
}

// present returns the routes without those of nodes that are no more. These are to be reaped; but a route that was recorded after that,
// by a node that was killed before its next beat, nobody would ever find.
func (r *roll) present(ctx context.Context, routes []Route) []Route {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh(ctx)
	for i := range routes {
		r.meet(postOf(&routes[i]))
	}
	gone := r.asked - absentFor*millis(r.g.opt.BeatEvery)
	return slices.DeleteFunc(routes, func(route Route) bool {
		a, absent := r.absent[postOf(&route)]
		return absent && a.since <= gone
	})
}

// follow looks again for who is absent: with each beat, so that nobody who was back between two looks counts as absent all the while.
func (r *roll) follow(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.absent) > 0 {
		r.refresh(ctx)
	}
}

// refresh asks who is there, unless that was asked a moment ago. A registry that does not answer leaves the nodes as they are known, and
// nobody absent: that it does not is for the next beat to find. The caller holds mu.
func (r *roll) refresh(ctx context.Context) {
	if r.g.cluster.routes.isDown() {
		clear(r.absent)
		return
	}
	if r.g.mono() < r.askAt {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, r.g.opt.RegistryTimeout)
	defer cancel()
	r.asked = r.g.mono()
	nodes, err := r.g.opt.Registry.Nodes(bounded)
	if err == nil {
		r.nodes = nodes
	} else if r.sure && ctx.Err() == nil {
		r.g.log.Warn("the registry does not list the nodes; who is gone is found out later", "error", err)
	}
	r.askAt, r.sure = r.g.mono()+millis(r.g.opt.BeatEvery/4), err == nil
	forgotten := r.g.mono() - millis(absentForgotten)
	maps.DeleteFunc(r.absent, func(at post, a absence) bool { return !r.sure || r.lists(at) || a.met <= forgotten })
}

// meet notes a node that is not on the roll, in this life.
func (r *roll) meet(at post) {
	now := r.g.mono()
	if a, known := r.absent[at]; known {
		r.absent[at] = absence{a.since, now}
	} else if r.sure && !r.lists(at) {
		r.absent[at] = absence{now, now}
	}
}

func (r *roll) lists(at post) bool {
	return slices.ContainsFunc(r.nodes, func(n Node) bool { return n.ID == at.node && n.Incarnation == at.incarnation })
}

func postOf(r *Route) post { return post{r.Node, r.Incarnation} }
