package rocketbus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/apache/rocketmq-client-go/v2/primitive"

	"github.com/yanlink/yanlink/ws"
)

var errClosed = errors.New("rocketbus: the bus is closed")

// Bus is a ws.Bus on RocketMQ.
type Bus struct {
	opt      Options
	admin    *admin
	producer sender
	routes   *routes
	queues   [2]*queue // by lane
	life     string    // tells this Bus from all others that are and were, in names of instances and in keys
	count    atomic.Uint64

	senders sync.WaitGroup
	cut     context.CancelFunc // ends sends under way

	lifetime context.Context // of subscriptions
	end      context.CancelFunc

	mu     sync.Mutex // guards closed, and subscribers against Close
	closed bool
	// subscribers are calls of Subscribe, and consumers that are still being shut down after one.
	subscribers sync.WaitGroup

	close    sync.Once
	closeErr error
}

var _ ws.Bus = (*Bus)(nil)

// Open returns a bus. It waits for nobody: with RocketMQ down it opens as well.
func Open(opt Options) (*Bus, error) {
	if err := opt.validate(); err != nil {
		return nil, err
	}
	opt.defaults()
	logTo(opt.Log)
	b := &Bus{opt: opt, admin: newAdmin(opt), life: rand.Text()[:10]}
	b.routes = newRoutes(b.look)
	var err error
	if b.producer, err = newProducer(opt, b.instance()); err != nil {
		return nil, err
	}
	b.lifetime, b.end = context.WithCancel(context.Background())
	ctx, cut := context.WithCancel(context.Background())
	b.cut = cut
	for lane := range b.queues {
		q := newQueue(opt.QueueBodies, opt.QueueBytes)
		b.queues[lane] = q
		for range sendersPerLane {
			b.senders.Go(func() { b.sendAll(ctx, q) })
		}
	}
	return b, nil
}

// instance names one more client of RocketMQ. Two that share a name share a connection, which then outlives the first.
func (b *Bus) instance() string { return "yanlink-" + b.life + "-" + b.number() }

// key names one more message for those who look for it in RocketMQ.
func (b *Bus) key() string { return b.opt.Node + "-" + b.life + "-" + b.number() }

func (b *Bus) number() string { return strconv.FormatUint(b.count.Add(1), 10) }

func (b *Bus) look(ctx context.Context, topic string) error {
	_, err := b.admin.route(ctx, topic)
	return err
}

// Publish implements ws.Bus.
func (b *Bus) Publish(node string, lane ws.Lane, body []byte) error {
	names, err := namesOf(node, lane)
	if err != nil {
		return err
	}
	if len(body) == 0 || len(body) > maxBody {
		return fmt.Errorf("rocketbus: a body of %d bytes; a broker takes 1 to %d", len(body), maxBody)
	}
	return b.queues[lane].put(b.message(names.topic, b.key(), body))
}

func (b *Bus) message(topic, key string, body []byte) *primitive.Message {
	return primitive.NewMessage(topic, body).WithKeys([]string{key})
}

// Close implements ws.Bus. Subscriptions end first, with an error.
func (b *Bus) Close(ctx context.Context) error {
	b.close.Do(func() { b.closeErr = b.shutdown(ctx) })
	return b.closeErr
}

func (b *Bus) shutdown(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	for _, q := range b.queues {
		q.close()
	}
	err := b.drain(ctx)
	// From here on everything ends by itself, at the latest when the client's own timeouts have passed.
	b.cut()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b.senders.Wait()
		_ = b.producer.Shutdown()
		b.subscribers.Wait()
	}()
	select {
	case <-stopped:
		return err
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("rocketbus: parts of the client still run: %w", ctx.Err()))
	}
}

// drain waits until what was queued is sent. When ctx ends before, the rest is dropped.
func (b *Bus) drain(ctx context.Context) error {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		b.senders.Wait()
	}()
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
	}
	lost := 0
	for _, q := range b.queues {
		lost += q.clear()
	}
	b.opt.Metrics.Lost(lost)
	return fmt.Errorf("rocketbus: %d bodies were not sent: %w", lost, ctx.Err())
}
