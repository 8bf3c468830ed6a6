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
	r.mu.Lock()
	noted := slices.Collect(maps.Keys(r.noted))
	clear(r.noted)
	r.mu.Unlock()
	if len(noted) == 0 {
		return
	}
	for _, node := range r.g.cluster.roll.others(ctx) {
		for some := range slices.Chunk(noted, presenceBatch) {
			body := (&presenceBell{users: some}).append(newDoorbell(node.Incarnation))
			r.g.cluster.forwarder.publish(node.ID, LaneNotices, body)
		}
	}
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
