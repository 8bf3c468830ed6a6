package ws

import "slices"

// pushed is a record that was written to a session and waits for its acknowledgement.
type pushed struct {
	rec      *Record
	track    *track
	prev     uint64 // prevSeq it was pushed with
	attempts uint32 // pushes so far
	first    Millis // of the first push, on the node's monotonic clock
	due      Millis // when to send it again, likewise
}

func (p *pushed) size() int { return len(p.rec.Body) }

// window holds what a session was sent and has not acknowledged, in the order of pushing, bounded in count and bytes.
// Records that were sent as often as allowed rest: they take no room, are not sent again, and still hold the cursor.
// It belongs to a session and is guarded by its lock. It is short, so looking through it beats an index.
type window struct {
	maxCount, maxBytes int
	active             []pushed
	resting            []pushed
	bytes              int
}

// room reports whether a record with a body of size bytes fits; one record always does.
func (w *window) room(size int) bool {
	return len(w.active) == 0 || len(w.active) < w.maxCount && w.bytes+size <= w.maxBytes
}

// low reports whether so much was acknowledged that reading the next page is worth it.
func (w *window) low() bool {
	return len(w.active) <= w.maxCount/2 && w.bytes <= w.maxBytes/2
}

func (w *window) add(p pushed) {
	w.active = append(w.active, p)
	w.bytes += p.size()
}

// take removes and returns the first entry that matches.
func (w *window) take(match func(*Record) bool) (pushed, bool) {
	for i := range w.active {
		if match(w.active[i].rec) {
			p := w.active[i]
			w.drop(i)
			return p, true
		}
	}
	for i := range w.resting {
		if match(w.resting[i].rec) {
			p := w.resting[i]
			w.resting = slices.Delete(w.resting, i, i+1)
			return p, true
		}
	}
	return pushed{}, false
}

// takeID is take for the most common question.
func (w *window) takeID(id MessageID) (pushed, bool) {
	return w.take(func(r *Record) bool { return r.Seq == id.Seq && r.Conversation == id.Conversation })
}

// takeThrough removes and returns the entries of t up to and including seq, in seq order.
func (w *window) takeThrough(t *track, seq uint64) []pushed {
	var taken []pushed
	concerned := func(p pushed) bool {
		if p.track != t || p.rec.Seq > seq {
			return false
		}
		taken = append(taken, p)
		return true
	}
	w.resting = slices.DeleteFunc(w.resting, concerned)
	w.active = slices.DeleteFunc(w.active, concerned)
	w.bytes = 0
	for i := range w.active {
		w.bytes += w.active[i].size()
	}
	slices.SortFunc(taken, func(a, b pushed) int { return int(int64(a.rec.Seq) - int64(b.rec.Seq)) })
	return taken
}

// rest moves the i-th active entry to those that rest.
func (w *window) rest(i int) {
	w.resting = append(w.resting, w.active[i])
	w.drop(i)
}

func (w *window) drop(i int) {
	w.bytes -= w.active[i].size()
	if i == 0 {
		w.active[0] = pushed{}
		w.active = w.active[1:]
	} else {
		w.active = slices.Delete(w.active, i, i+1)
	}
	if len(w.active) == 0 {
		w.active = nil
	}
}

// unlink makes p, which was taken and is not due any more, nobody's prevSeq: a client that never saw it would take it
// for a gap.
func (w *window) unlink(p pushed) {
	if p.track.due == p.rec.Seq {
		p.track.due = p.prev
	}
	for _, entries := range [2][]pushed{w.active, w.resting} {
		for i := range entries {
			if e := &entries[i]; e.track == p.track && e.prev == p.rec.Seq {
				e.prev = p.prev
			}
		}
	}
}

// lowest returns the entry of t with the lowest seq, or nil.
func (w *window) lowest(t *track) *pushed {
	var low *pushed
	for _, entries := range [2][]pushed{w.active, w.resting} {
		for i := range entries {
			if p := &entries[i]; p.track == t && (low == nil || p.rec.Seq < low.rec.Seq) {
				low = p
			}
		}
	}
	return low
}
