package rocketbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/apache/rocketmq-client-go/v2/primitive"

	"github.com/yanlink/yanlink/ws"
)

// Send publishes an event of the outbox and returns when a broker has it safely. Events of one key, sent one after the
// other, are in the order in which they were sent. After an error it may be there all the same.
func (b *Bus) Send(ctx context.Context, topic, key string, payload []byte) error {
	if err := b.send(ctx, b.message(topic, key, payload).WithShardingKey(key)); err != nil {
		return fmt.Errorf("rocketbus: topic %s: %w", topic, err)
	}
	return nil
}

func (b *Bus) send(ctx context.Context, msg *primitive.Message) error {
	if err := b.ensure(ctx, msg.Topic); err != nil {
		return err
	}
	result, err := b.producer.SendSync(ctx, msg)
	if err != nil {
		b.routes.failed(msg.Topic)
		return err
	}
	b.routes.worked(msg.Topic)
	if result.Status != primitive.SendOK {
		return fmt.Errorf("the broker has it, but not safely: status %d", result.Status)
	}
	return nil
}

// ensure returns nil if a topic can be sent to. It makes one that is missing, if it may.
func (b *Bus) ensure(ctx context.Context, topic string) error {
	err := b.routes.check(ctx, topic)
	if !errors.Is(err, errNoTopic) {
		return err
	}
	if b.opt.ManualTopics {
		return fmt.Errorf("%w; make it with `yanlink topics create`", err)
	}
	if err := b.admin.createTopic(ctx, topic, b.opt.EventQueues); err != nil {
		return err
	}
	b.routes.worked(topic)
	return nil
}

// deadLetter puts a body where somebody may look at it, under the key it came with.
func (b *Bus) deadLetter(msg *primitive.MessageExt) error {
	letter := b.message(TopicDeadLetter, msg.GetKeys(), bytes.Clone(msg.Body))
	letter.WithProperty("ORIGIN_TOPIC", msg.Topic)
	return b.queues[ws.LaneMessages].put(letter)
}
