package rocketbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"

	"github.com/yanlink/yanlink/ws"
)

const (
	pullBodies   = 32
	pullMiB      = 32 // of a queue, read ahead of receive
	shutdownWait = 3 * time.Second

	// stuckAfter is when the client gives a body back that receive does not take. That never happens; but as often it
	// looks for one, in a way that the race detector dislikes.
	stuckAfter = time.Hour
	// settle is what a rebalance takes that is under way. It must not meet Shutdown, which changes without a lock what
	// it reads.
	settle = 100 * time.Millisecond
)

// Subscribe implements ws.Bus. The first subscription there ever was begins with what comes next, later ones where the
// one before them was: what came in between, for a former life too, comes first.
func (b *Bus) Subscribe(ctx context.Context, node string, lane ws.Lane, receive func(body []byte)) error {
	names, err := namesOf(node, lane)
	if err != nil {
		return err
	}
	if !b.enter() {
		return errClosed
	}
	defer b.subscribers.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.lifetime, cancel)()

	err = b.listen(ctx, names, &receiver{bus: b, receive: receive})
	switch {
	case b.lifetime.Err() != nil:
		return errClosed
	case ctx.Err() != nil:
		return nil
	}
	return fmt.Errorf("rocketbus: %w", err)
}

// enter notes a subscriber, unless the bus is closed.
func (b *Bus) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.subscribers.Add(1)
	return true
}

// listen hands over what comes until ctx ends, or returns why it cannot.
func (b *Bus) listen(ctx context.Context, names names, r *receiver) error {
	brokers, err := b.prepare(ctx, names)
	if err != nil {
		return err
	}
	c, err := b.newConsumer(names, r)
	if err != nil {
		return err
	}
	defer r.end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	b.subscribers.Go(func() { ended <- run(ctx, c) })
	select {
	case err := <-ended:
		return err
	case err = <-b.watch(ctx, brokers, names.topic):
		cancel()
	case <-ctx.Done():
	}
	// A consumer that cannot reach its broker takes long to start and to end. Nobody has to wait for it.
	select {
	case late := <-ended:
		b.opt.Log.Debug("a subscription has ended", "topic", names.topic, "error", late)
	case <-time.After(shutdownWait):
	}
	return err
}

// watch tells of the first of a topic's brokers that ends.
func (b *Bus) watch(ctx context.Context, brokers []string, topic string) <-chan error {
	gone := make(chan error, len(brokers))
	for _, addr := range brokers {
		b.subscribers.Go(func() { gone <- b.admin.watch(ctx, addr, topic) })
	}
	return gone
}

// run is a consumer's life.
func run(ctx context.Context, c rocketmq.PushConsumer) error {
	if err := c.Start(); err != nil {
		return err // and has shut itself down
	}
	<-ctx.Done()
	c.Suspend() // no rebalance begins any more
	time.Sleep(settle)
	return c.Shutdown()
}

// prepare returns the brokers of a topic that answer, at least one, and makes the topic if it may. A consumer that cannot
// start, and every one that ever started, leaves goroutines behind for long, so that none is built without.
func (b *Bus) prepare(ctx context.Context, names names) ([]string, error) {
	_ = b.ensure(ctx, TopicDeadLetter) // what cannot be put away there is still logged
	brokers, err := b.admin.route(ctx, names.topic)
	if errors.Is(err, errNoTopic) && !b.opt.ManualTopics {
		if err = b.admin.createNode(ctx, names, b.opt.NodeQueues); err == nil {
			brokers, err = b.admin.route(ctx, names.topic)
		}
	}
	if errors.Is(err, errNoTopic) {
		return nil, fmt.Errorf("topic %s does not exist; make it with `yanlink topics create`", names.topic)
	}
	if err != nil {
		return nil, err
	}
	answering, err := b.admin.askBrokers(ctx, brokers, pingOf(names.topic))
	if err == nil {
		b.routes.worked(names.topic)
	}
	return answering, err
}

func (b *Bus) newConsumer(names names, r *receiver) (rocketmq.PushConsumer, error) {
	c, err := rocketmq.NewPushConsumer(
		consumer.WithGroupName(names.group),
		consumer.WithInstance(b.instance()),
		consumer.WithNsResolver(resolver(b.opt.NameServers)),
		consumer.WithCredentials(b.opt.credentials()),
		consumer.WithConsumerModel(consumer.Clustering),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromLastOffset),
		consumer.WithStrategy(everyQueue),
		consumer.WithConsumeGoroutineNums(1), // more would change the order
		consumer.WithConsumeMessageBatchMaxSize(pullBodies),
		consumer.WithPullBatchSize(pullBodies),
		consumer.WithPullThresholdSizeForQueue(pullMiB),
		consumer.WithConsumeTimeout(stuckAfter),
	)
	if err != nil {
		return nil, err
	}
	return c, c.Subscribe(names.topic, consumer.MessageSelector{}, r.consume)
}

// everyQueue gives a consumer all queues of its topic. Nobody else is in its group but its own forerunner, whom the
// broker may still count.
func everyQueue(_, _ string, all []*primitive.MessageQueue, _ []string) []*primitive.MessageQueue {
	return all
}
