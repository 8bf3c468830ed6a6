package ws

import (
	"context"
	"slices"
	"sync"
)

// roll is who lives in the cluster, as the registry said a moment ago. It is safe for concurrent use.
type roll struct {
	g *Gateway

	mu     sync.Mutex // held by whoever asks: the others want the same answer
	nodes  []Node
	living map[post]bool // of the nodes, and, false, of those that were looked for among them in vain
	askAt  Millis        // when to ask again
}

func newRoll(g *Gateway) *roll { return &roll{g: g, living: make(map[post]bool)} }

// others returns the nodes beside this one. A registry that does not answer leaves what is known.
func (r *roll) others(ctx context.Context) []Node {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.g.mono() >= r.askAt && !r.g.cluster.routes.isDown() {
		_ = r.ask(ctx)
	}
	return slices.DeleteFunc(slices.Clone(r.nodes), func(n Node) bool { return n.ID == r.g.opt.NodeID })
}

// present returns the routes of nodes that live. The others are to be reaped; a route that was recorded after that, by a node that
// was killed before its next beat, nobody would ever find.
func (r *roll) present(ctx context.Context, routes []Route) ([]Route, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stale := r.g.mono() >= r.askAt
	for i := range routes {
		if _, known := r.living[postOf(&routes[i])]; stale || !known {
			if err := r.ask(ctx); err != nil {
				return nil, err
			}
			break
		}
	}
	return slices.DeleteFunc(routes, func(route Route) bool {
		at := postOf(&route)
		lives := r.living[at]
		r.living[at] = lives
		return !lives
	}), nil
}

// ask asks who is there. The caller holds mu.
func (r *roll) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.g.opt.RegistryTimeout)
	defer cancel()
	nodes, err := r.g.opt.Registry.Nodes(ctx)
	if err != nil {
		r.g.cluster.routes.failed(err)
		return err
	}
	r.nodes, r.askAt = nodes, r.g.mono()+millis(r.g.opt.BeatEvery/4)
	clear(r.living)
	for i := range nodes {
		r.living[post{nodes[i].ID, nodes[i].Incarnation}] = true
	}
	return nil
}

func postOf(r *Route) post { return post{r.Node, r.Incarnation} }
