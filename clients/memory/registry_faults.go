package memory

import (
	"context"
	"maps"

	"github.com/yanlink/yanlink/ws"
)

// Forget loses everything, as a flushed server does.
func (d *Directory) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.nodes)
	clear(d.routes)
	d.fallen = nil
}

// Copy returns what puts the directory back to how it is now, as a server does that comes back from an older copy. The
// nodes find that their last beats are not in it, and join anew.
func (d *Directory) Copy() (restore func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	routes := copied(d.routes)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		clear(d.nodes)
		d.routes, d.fallen = copied(routes), nil
	}
}

func copied(routes map[string]map[string]ws.Route) map[string]map[string]ws.Route {
	users := make(map[string]map[string]ws.Route, len(routes))
	for user, sessions := range routes {
		users[user] = maps.Clone(sessions)
	}
	return users
}

// Silence makes a node one that has not beaten for too long.
func (d *Directory) Silence(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if node, ok := d.nodes[address]; ok {
		node.Beat = 0
		d.nodes[address] = node
	}
}

// Fail makes every later call of this node return err and change nothing, until it is called with nil.
func (r *Registry) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = err
}

// Hold makes every later call of this node wait, before it changes anything, until release is called, its context ends
// or the registry is closed. release may be called more than once.
func (r *Registry) Hold() (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release()
	held := make(chan struct{})
	r.held = held
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.held == held {
			r.release()
		}
	}
}

// release lets held calls go on. The caller holds mu.
func (r *Registry) release() {
	if r.held != nil {
		close(r.held)
		r.held = nil
	}
}

// admit waits as long as calls are held and returns what forbids this one.
func (r *Registry) admit(ctx context.Context) error {
	r.mu.Lock()
	held := r.held
	r.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return errRegistryClosed
	case r.fault != nil:
		return r.fault
	}
	return ctx.Err()
}
