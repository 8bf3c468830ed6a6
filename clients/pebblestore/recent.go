package pebblestore

import (
	"math"
	"sync"

	"github.com/yanlink/yanlink/ws"
)

// recentKept is how many writes to conversations are remembered.
const recentKept = 1 << 14

// recent remembers which conversations were written to lately, so that asking for them each second costs no scan.
type recent struct {
	mu    sync.Mutex
	ring  []ws.Head // a ring of the last writes; next is where the oldest stands once it is full
	next  int
	floor ws.Millis // everything updated after it is in the ring, once whole
	whole bool      // what was there before the ring is known too
}

func newRecent() *recent { return &recent{floor: math.MinInt64} }

func (r *recent) note(h ws.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) < recentKept {
		r.ring = append(r.ring, h)
		return
	}
	r.floor = max(r.floor, r.ring[r.next].UpdatedAt)
	r.ring[r.next] = h
	r.next = (r.next + 1) % recentKept
}

// since returns the heads of the conversations updated at or after t; false if it does not remember that far back.
func (r *recent) since(t ws.Millis) ([]ws.Head, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.whole || t <= r.floor {
		return nil, false
	}
	return newest(r.ring, t), true
}

// learn takes what a scan of all conversations found: those that the ring does not have set how far back it reaches.
func (r *recent) learn(heads []ws.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.whole {
		return
	}
	r.whole = true
	known := make(map[ws.ConversationID]bool, len(r.ring))
	for i := range r.ring {
		known[r.ring[i].Conversation] = true
	}
	for i := range heads {
		if !known[heads[i].Conversation] {
			r.floor = max(r.floor, heads[i].UpdatedAt)
		}
	}
}

// newest returns the highest head of each conversation that has a record at or after t.
func newest(heads []ws.Head, t ws.Millis) []ws.Head {
	found := []ws.Head{}
	place := map[ws.ConversationID]int{}
	for _, h := range heads {
		if h.UpdatedAt < t || h.Last == 0 {
			continue
		}
		if i, ok := place[h.Conversation]; !ok {
			place[h.Conversation] = len(found)
			found = append(found, h)
		} else if h.Last > found[i].Last {
			found[i] = h
		}
	}
	return found
}
