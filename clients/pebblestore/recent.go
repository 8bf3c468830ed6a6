package pebblestore

import (
	"math"
	"sync"

	"github.com/yanlink/yanlink/ws"
)

const (
	// recentKept is how many conversations' heads are remembered.
	recentKept = 1 << 16
	// recentFor is how long a head is remembered when there are too many.
	recentFor ws.Millis = 30_000
)

// recent remembers which conversations were written to lately, so that asking for them each second costs no scan.
type recent struct {
	mu    sync.Mutex
	heads map[ws.ConversationID]ws.Head
	floor ws.Millis // everything updated after it is in heads, once whole
	whole bool      // what was there before the first note is known too
}

func newRecent() *recent {
	return &recent{heads: make(map[ws.ConversationID]ws.Head), floor: math.MinInt64}
}

func (r *recent) note(h ws.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heads[h.Conversation] = h
	if len(r.heads) > recentKept {
		r.prune(h.UpdatedAt - recentFor)
	}
}

// prune forgets what is older than t, and everything if that is not enough.
func (r *recent) prune(t ws.Millis) {
	r.drop(func(h ws.Head) bool { return h.UpdatedAt < t })
	if len(r.heads) > recentKept/2 {
		r.drop(func(ws.Head) bool { return true })
	}
}

func (r *recent) drop(which func(ws.Head) bool) {
	for id, h := range r.heads {
		if which(h) {
			r.floor = max(r.floor, h.UpdatedAt)
			delete(r.heads, id)
		}
	}
}

// forget begins anew: after a reopening there may be writes that nobody was told of.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.heads)
	r.floor, r.whole = math.MinInt64, false
}

// since returns the heads of the conversations updated at or after t; false if it does not remember that far back.
func (r *recent) since(t ws.Millis) ([]ws.Head, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.whole || t <= r.floor {
		return nil, false
	}
	found := []ws.Head{}
	for _, h := range r.heads {
		if h.UpdatedAt >= t && h.Last > 0 {
			found = append(found, h)
		}
	}
	return found, true
}

// learn takes what a scan of all conversations found: those that are not in heads set how far back it reaches.
func (r *recent) learn(heads []ws.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.whole {
		return
	}
	r.whole = true
	for _, h := range heads {
		if _, known := r.heads[h.Conversation]; !known {
			r.floor = max(r.floor, h.UpdatedAt)
		}
	}
}
