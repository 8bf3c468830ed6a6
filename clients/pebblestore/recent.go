package pebblestore

import (
	"math"
	"sync"

	"github.com/yanlink/yanlink/ws"
)

const (
	// recentKept is how many conversations' heads are remembered at least, if there are so many.
	recentKept = 1 << 16
	// recentFor is how long a head is remembered however many there are.
	recentFor ws.Millis = 30_000
)

// recent remembers which conversations were written to lately, so that asking for them each second costs no scan.
type recent struct {
	mu    sync.Mutex
	heads map[ws.ConversationID]ws.Head
	limit int       // beyond it those are forgotten that are older than recentFor
	floor ws.Millis // everything updated after it is in heads, once whole
	whole bool      // what was there before the first note is known too
}

func newRecent() *recent {
	return &recent{heads: make(map[ws.ConversationID]ws.Head), limit: recentKept, floor: math.MinInt64}
}

func (r *recent) note(h ws.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heads[h.Conversation] = h
	if len(r.heads) > r.limit {
		r.prune(h.UpdatedAt - recentFor)
	}
}

// prune forgets what is older than t. It goes through all, and so comes again only once there are twice as many as it left.
func (r *recent) prune(t ws.Millis) {
	for id, h := range r.heads {
		if h.UpdatedAt < t {
			r.floor = max(r.floor, h.UpdatedAt)
			delete(r.heads, id)
		}
	}
	r.limit = max(recentKept, 2*len(r.heads))
}

// forget begins anew: after a reopening there may be writes that nobody was told of.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.heads)
	r.limit = recentKept
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

// learn takes what a scan of all conversations found: the heads since some time, and when the newest of all others was updated,
// which sets how far back it reaches.
func (r *recent) learn(found []ws.Head, older ws.Millis) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.whole {
		return
	}
	r.whole = true
	r.floor = max(r.floor, older)
	for _, h := range found {
		if _, known := r.heads[h.Conversation]; !known {
			r.heads[h.Conversation] = h
		}
	}
	r.limit = max(recentKept, 2*len(r.heads))
}
