package ws

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
)

// ring tells the other nodes whose presence, or name, may have changed by this one. They look themselves how it stands:
// what is lost, or comes out of order, costs time only.
type ring struct {
	g *Gateway

	mu    sync.Mutex
	noted map[string]struct{}

	sending sync.Mutex // held by whoever sends
	nodes   []Node
	askAt   Millis // when to ask again who is there
}

func (r *ring) note(users []string) {
	if r.g.cluster == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, user := range users {
		if len(r.noted) < maxNoted {
			r.noted[user] = struct{}{}
		}
	}
}

// send rings each of the other nodes for all that was noted.
func (r *ring) send(ctx context.Context) {
	r.sending.Lock()
	defer r.sending.Unlock()
	r.mu.Lock()
	noted := slices.Collect(maps.Keys(r.noted))
	clear(r.noted)
	r.mu.Unlock()
	if len(noted) == 0 {
		return
	}
	r.askNodes(ctx)
	for i := range r.nodes {
		node := &r.nodes[i]
		if node.ID == r.g.opt.NodeID {
			continue
		}
		for some := range slices.Chunk(noted, presenceBatch) {
			body := (&presenceBell{users: some}).append(newDoorbell(node.Incarnation))
			r.g.cluster.forwarder.publish(node.ID, LaneNotices, body)
		}
	}
}

// askNodes asks who is there, unless that was asked a moment ago. A registry that does not answer leaves what is known.
func (r *ring) askNodes(ctx context.Context) {
	now := r.g.mono()
	if now < r.askAt || r.g.cluster.routes.isDown() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.g.opt.RegistryTimeout)
	defer cancel()
	nodes, err := r.g.opt.Registry.Nodes(ctx)
	if err != nil {
		r.g.cluster.routes.failed(err)
		return
	}
	r.nodes, r.askAt = nodes, now+millis(r.g.opt.BeatEvery/4)
}

// presenceBell says whose presence, or name, may have changed by another node.
type presenceBell struct{ users []string }

func (b *presenceBell) committed(d *dispatcher) {
	d.g.names.doubt(b.users)
	d.g.watch.note(b.users...)
}

func (b *presenceBell) append(dst []byte) []byte {
	return appendStrings(binary.AppendUvarint(append(dst, bellPresence), uint64(len(b.users))), b.users...)
}

func (r *bellReader) presence() effect {
	b := &presenceBell{}
	for n := r.number(); n > 0 && !r.broken; n-- {
		b.users = append(b.users, r.string())
	}
	return b
}
