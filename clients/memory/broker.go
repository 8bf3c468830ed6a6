package memory

import (
	"bytes"
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// BrokerOptions bound what waits for one node on one lane.
type BrokerOptions struct {
	QueueBodies int // 0: 4096
	QueueBytes  int // 0: 16 MiB
}

// Broker is what the buses of a process's nodes meet in. It is safe for concurrent use, owns no goroutine and needs no
// closing.
//
// A body waits until somebody subscribes, so that a node may find what was meant for its former life.
type Broker struct {
	opt BrokerOptions

	mu      sync.Mutex
	queues  map[address]*queue
	faults  Faults
	random  *rand.Rand
	stopped bool
	count   uint64 // of letters; keeps those of one moment in order
}

// address is where a body goes.
type address struct {
	node string
	lane ws.Lane
}

// arrival tells when there may be something to take.
type arrival struct {
	changed <-chan struct{} // closed then
	in      time.Duration   // or after this; 0: not before something changes
}

// NewBroker returns a broker without faults.
func NewBroker(opt BrokerOptions) *Broker {
	if opt.QueueBodies == 0 {
		opt.QueueBodies = 4096
	}
	if opt.QueueBytes == 0 {
		opt.QueueBytes = 16 << 20
	}
	return &Broker{opt: opt, queues: make(map[address]*queue)}
}

// Open returns the bus of one more node.
func (b *Broker) Open() *Bus { return &Bus{broker: b, closed: make(chan struct{})} }

func (b *Broker) publish(to address, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queue(to)
	for _, wait := range b.fates() {
		if q.Len() >= b.opt.QueueBodies || q.bytes+len(body) > b.opt.QueueBytes {
			return ws.ErrBusFull
		}
		b.count++
		heap.Push(q, letter{body: bytes.Clone(body), due: time.Now().Add(wait), number: b.count})
		q.change()
	}
	return nil
}

// take returns the next body for to, or when to ask again.
func (b *Broker) take(to address) (body []byte, next arrival, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queue(to)
	next.changed = q.changed
	if b.stopped || q.Len() == 0 {
		return nil, next, false
	}
	if next.in = time.Until(q.letters[0].due); next.in > 0 {
		return nil, next, false
	}
	return heap.Pop(q).(letter).body, next, true
}

// queue returns the queue of an address. The caller holds mu.
func (b *Broker) queue(to address) *queue {
	q, ok := b.queues[to]
	if !ok {
		q = &queue{changed: make(chan struct{})}
		b.queues[to] = q
	}
	return q
}
