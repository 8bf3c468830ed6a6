package memory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/yanlink/yanlink/ws"
)

var errRegistryClosed = errors.New("the registry is closed")

// Registry is one node's access to a Directory.
type Registry struct {
	directory *Directory

	mu     sync.Mutex
	closed bool
	fault  error
	held   chan struct{} // closed when calls may go on; nil while none is held
}

var _ ws.Registry = (*Registry)(nil)

// Put implements ws.Routes. Of two sessions of one device and epoch the recorded one stays.
func (r *Registry) Put(ctx context.Context, routes []ws.Route) (displaced []ws.Route, err error) {
	err = r.call(ctx, func(d *Directory) error {
		for _, route := range routes {
			displaced = append(displaced, d.put(route)...)
		}
		return nil
	})
	return displaced, err
}

// Remove implements ws.Routes.
func (r *Registry) Remove(ctx context.Context, routes []ws.Route) error {
	return r.call(ctx, func(d *Directory) error {
		for _, route := range routes {
			d.remove(route)
		}
		return nil
	})
}

// Locate implements ws.Routes.
func (r *Registry) Locate(ctx context.Context, users []string) (routes []ws.Route, err error) {
	err = r.call(ctx, func(d *Directory) error {
		for _, user := range users {
			for _, route := range d.routes[user] {
				routes = append(routes, route)
			}
		}
		return nil
	})
	return routes, err
}

// List implements ws.Routes: user by user, in order.
func (r *Registry) List(ctx context.Context, cursor string, limit int) (routes []ws.Route, next string, err error) {
	err = r.call(ctx, func(d *Directory) error {
		for _, user := range slices.Sorted(maps.Keys(d.routes)) {
			if user <= cursor {
				continue
			}
			if len(routes) >= limit {
				next = routes[len(routes)-1].User
				break
			}
			routes = slices.AppendSeq(routes, maps.Values(d.routes[user]))
		}
		return nil
	})
	return routes, next, err
}

// Beat implements ws.Nodes.
func (r *Registry) Beat(ctx context.Context, node ws.Node) (joined bool, err error) {
	err = r.call(ctx, func(d *Directory) (err error) {
		joined, err = d.beat(node)
		return err
	})
	return joined, err
}

// Prune implements ws.Nodes.
func (r *Registry) Prune(ctx context.Context, node ws.Node, live func(sessionID string) bool) (gone []ws.Route, err error) {
	err = r.call(ctx, func(d *Directory) error {
		gone = d.removeIf(func(route ws.Route) bool {
			return lifeOf(route) == life{node.ID, node.Incarnation} && !live(route.SessionID)
		})
		return nil
	})
	return gone, err
}

// Leave implements ws.Nodes.
func (r *Registry) Leave(ctx context.Context, node ws.Node) error {
	return r.call(ctx, func(d *Directory) error {
		d.leave(node)
		return nil
	})
}

// Nodes implements ws.Nodes.
func (r *Registry) Nodes(ctx context.Context) (nodes []ws.Node, err error) {
	err = r.call(ctx, func(d *Directory) error {
		nodes = d.living()
		return nil
	})
	return nodes, err
}

// Reap implements ws.Nodes.
func (r *Registry) Reap(ctx context.Context) (gone []ws.Route, err error) {
	err = r.call(ctx, func(d *Directory) error {
		gone = d.reap()
		return nil
	})
	return gone, err
}

// Close implements ws.Registry.
func (r *Registry) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.release()
	return nil
}

// call runs f on the directory, unless a fault, the context or the end of the registry forbids it.
func (r *Registry) call(ctx context.Context, f func(d *Directory) error) error {
	if err := r.admit(ctx); err != nil {
		return err
	}
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	return f(r.directory)
}
