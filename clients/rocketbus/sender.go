package rocketbus

import (
	"context"
	"errors"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

const (
	sendersPerLane = 4
	maxBatch       = 1 << 20 // bytes of a batch of several bodies
)

var errResting = errors.New("the last send failed a moment ago")

// sender is what is needed of the client's producer.
type sender interface {
	SendSync(ctx context.Context, msgs ...*primitive.Message) (*primitive.SendResult, error)
	Shutdown() error
}

// sendAll sends what comes to a queue until it is closed and empty.
func (b *Bus) sendAll(ctx context.Context, q *queue) {
	for {
		topic, batch := q.take(b.opt.BatchBodies, maxBatch)
		if topic == nil {
			return
		}
		b.sendBatch(ctx, topic.topic, batch)
		q.giveBack(topic)
	}
}

func (b *Bus) sendBatch(ctx context.Context, topic string, batch []*primitive.Message) {
	if err := b.routes.check(ctx, topic); err != nil {
		b.opt.Metrics.Lost(len(batch))
		return
	}
	result, err := b.producer.SendSync(ctx, batch...)
	if err != nil {
		b.opt.Metrics.Lost(len(batch))
		if b.routes.failed(topic) {
			b.opt.Log.Warn("messages for a node are lost on the bus and go through the ledger", "topic", topic, "error", err)
		}
		return
	}
	// Any other status than OK tells of a broker that has it, but not as safely as it should.
	if result.Status != primitive.SendOK {
		b.opt.Log.Debug("a broker is not as safe as it should be", "topic", topic, "status", int(result.Status))
	}
	b.routes.worked(topic)
	b.opt.Metrics.Sent(len(batch))
}
