package ws

import (
	"context"
	"sync"
)

// workQueue holds the sessions that need the ledger read, each at most once, so that it is bounded by their number.
// A few workers share it: a crowd that reconnects cannot read the ledger all at once.
type workQueue struct {
	mu    sync.Mutex
	queue []*Session
	wake  chan struct{}
}

func newWorkQueue() *workQueue { return &workQueue{wake: make(chan struct{}, 1)} }

func (q *workQueue) push(s *Session) {
	q.mu.Lock()
	q.queue = append(q.queue, s)
	q.mu.Unlock()
	q.signal()
}

func (q *workQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *workQueue) pop() (s *Session, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		return nil, false
	}
	s = q.queue[0]
	q.queue[0] = nil
	q.queue = q.queue[1:]
	return s, len(q.queue) > 0
}

func (q *workQueue) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue)
}

// run works until ctx ends.
func (q *workQueue) run(ctx context.Context) {
	for {
		s, more := q.pop()
		if s == nil {
			select {
			case <-ctx.Done():
				return
			case <-q.wake:
			}
			continue
		}
		if more {
			q.signal()
		}
		if ctx.Err() != nil {
			return
		}
		s.guard(func() { s.work(ctx) })
	}
}
