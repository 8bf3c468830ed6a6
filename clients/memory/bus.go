package memory

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

var errBusClosed = errors.New("the bus is closed")

// Bus is one node's connection to a Broker.
type Bus struct {
	broker *Broker
	closed chan struct{}
	close  sync.Once
}

var _ ws.Bus = (*Bus)(nil)

// Publish implements ws.Bus. The queue that can be full is the one of the node and the lane.
func (b *Bus) Publish(node string, lane ws.Lane, body []byte) error {
	if b.isClosed() {
		return errBusClosed
	}
	return b.broker.publish(address{node, lane}, body)
}

// Subscribe implements ws.Bus. It begins with what waits; several subscriptions to one node and lane share what comes.
func (b *Bus) Subscribe(ctx context.Context, node string, lane ws.Lane, receive func(body []byte)) error {
	to := address{node, lane}
	for {
		if ctx.Err() != nil {
			return nil
		}
		if b.isClosed() {
			return errBusClosed
		}
		body, next, ok := b.broker.take(to)
		if ok {
			receive(body)
			continue
		}
		b.await(ctx, next)
	}
}

// await returns when there may be a body to take, or no reason to.
func (b *Bus) await(ctx context.Context, next arrival) {
	var due <-chan time.Time
	if next.in > 0 {
		timer := time.NewTimer(next.in)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-b.closed:
	case <-next.changed:
	case <-due:
	}
}

// Close implements ws.Bus. Subscriptions end with an error. Nothing is left to send: what was published is the broker's.
func (b *Bus) Close(context.Context) error {
	b.close.Do(func() { close(b.closed) })
	return nil
}

func (b *Bus) isClosed() bool {
	select {
	case <-b.closed:
		return true
	default:
		return false
	}
}
