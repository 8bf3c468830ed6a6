package memory

import (
	"container/heap"
	"time"
)

// queue is what waits for one node on one lane, the earliest due first. The broker's lock guards it.
type queue struct {
	letters []letter
	bytes   int
	changed chan struct{} // closed, and another one made, whenever there may be more to take
}

type letter struct {
	body   []byte
	due    time.Time
	number uint64
}

var _ heap.Interface = (*queue)(nil)

func (q *queue) change() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(q.letters) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool {
	a, b := q.letters[i], q.letters[j]
	if a.due.Equal(b.due) {
		return a.number < b.number
	}
	return a.due.Before(b.due)
}

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) { q.letters[i], q.letters[j] = q.letters[j], q.letters[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	q.letters = append(q.letters, x.(letter))
	q.bytes += len(x.(letter).body)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(q.letters) - 1
	out := q.letters[last]
	q.letters[last] = letter{}
	q.letters = q.letters[:last]
	q.bytes -= len(out.body)
	return out
}
