package rocketbus

import (
	"sync"

	"github.com/apache/rocketmq-client-go/v2/primitive"

	"github.com/yanlink/yanlink/ws"
)

// queue holds what waits to be sent on one lane, by topic. Senders share it: each takes a topic with what waits for it,
// and no other one gets that topic before it is back, so that a topic's bodies leave in the order in which they came,
// and one that takes long holds up one sender.
type queue struct {
	maxBodies, maxBytes int

	mu     sync.Mutex
	turn   sync.Cond // there may be something to take, or nothing ever again
	topics map[string]*backlog
	ready  []*backlog // with something waiting, and with no sender
	bodies int
	bytes  int
	closed bool
}

// backlog is what waits for one topic.
type backlog struct {
	topic   string
	waiting []*primitive.Message
}

func newQueue(maxBodies, maxBytes int) *queue {
	q := &queue{maxBodies: maxBodies, maxBytes: maxBytes, topics: make(map[string]*backlog)}
	q.turn.L = &q.mu
	return q
}

// put adds a message behind those of its topic.
func (q *queue) put(msg *primitive.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errClosed
	}
	if q.bodies >= q.maxBodies || q.bytes+len(msg.Body) > q.maxBytes {
		return ws.ErrBusFull
	}
	q.bodies++
	q.bytes += len(msg.Body)
	b, ok := q.topics[msg.Topic]
	if !ok {
		b = &backlog{topic: msg.Topic}
		q.topics[msg.Topic] = b
		q.ready = append(q.ready, b)
		q.turn.Signal()
	}
	b.waiting = append(b.waiting, msg)
	return nil
}

// take waits for a topic with something to send, and returns up to so many messages and bytes of it, at least one. It
// has to be given back. Nil says that the queue is closed and empty.
func (q *queue) take(bodies, bytes int) (*backlog, []*primitive.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) == 0 {
		if q.closed && q.bodies == 0 {
			return nil, nil
		}
		q.turn.Wait()
	}
	b := q.ready[0]
	q.ready = q.ready[1:]
	batch := b.cut(bodies, bytes)
	q.bodies -= len(batch)
	q.bytes -= size(batch)
	if q.closed && q.bodies == 0 {
		q.turn.Broadcast()
	}
	return b, batch
}

// giveBack lets the next sender have a topic.
func (q *queue) giveBack(b *backlog) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(b.waiting) == 0 {
		delete(q.topics, b.topic)
		return
	}
	q.ready = append(q.ready, b)
	q.turn.Signal()
}

// close lets nothing more in. What waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.turn.Broadcast()
}

// clear drops what waits and returns how much that was.
func (q *queue) clear() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	dropped := q.bodies
	for _, b := range q.topics {
		b.waiting = nil
	}
	q.ready, q.bodies, q.bytes = nil, 0, 0
	q.turn.Broadcast()
	return dropped
}

// cut takes the first messages off.
func (b *backlog) cut(bodies, bytes int) []*primitive.Message {
	n, total := 0, 0
	for n < min(len(b.waiting), bodies) {
		total += len(b.waiting[n].Body)
		if n > 0 && total > bytes {
			break
		}
		n++
	}
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return batch
}

func size(batch []*primitive.Message) (bytes int) {
	for _, msg := range batch {
		bytes += len(msg.Body)
	}
	return bytes
}
