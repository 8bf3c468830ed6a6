package ws

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// publishers is how many events are on their way to the sink at one time, each of another key.
	publishers = 32
	// publishTimeout bounds the publishing of one event.
	publishTimeout = 10 * time.Second
	// maxRetryAfter bounds the wait between two attempts.
	maxRetryAfter = time.Minute
)

// publication is one batch of events on its way to the sink.
type publication struct {
	o *outbox

	mu        sync.Mutex
	ops       []Op // what became of each event
	published int
	failed    map[string]bool // topics; the rest of such a one waits for the next pass, as it would fail likewise
	err       error           // the first one
}

// publish publishes partitions, several at a time.
func (o *outbox) publish(ctx context.Context, partitions [][]Event) *publication {
	p := &publication{o: o, failed: make(map[string]bool)}
	work := make(chan []Event)
	var working sync.WaitGroup
	for range min(publishers, len(partitions)) {
		working.Go(func() {
			for partition := range work {
				p.publish(ctx, partition)
			}
		})
	}
	for _, partition := range partitions {
		work <- partition
	}
	close(work)
	working.Wait()
	if p.err != nil {
		o.g.log.Warn("outgoing events were not published; they are tried again", "error", p.err)
	}
	return p
}

// publish publishes the events of one partition up to the first that fails.
func (p *publication) publish(ctx context.Context, partition []Event) {
	for i := range partition {
		e := &partition[i]
		if ctx.Err() != nil || !p.o.lease.held() || p.hasFailed(e.Topic) {
			return
		}
		err := p.try(ctx, e)
		if err != nil && ctx.Err() != nil {
			return // the node stops: that says nothing about the event
		}
		p.settle(e, err)
		if err != nil {
			return
		}
	}
}

func (p *publication) try(ctx context.Context, e *Event) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in the event sink: %v", cause)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return p.o.opt.Sink.Send(ctx, e.Topic, e.Key, e.Payload)
}

func (p *publication) hasFailed(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed[topic]
}

// settle notes what became of an event.
func (p *publication) settle(e *Event, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.published++
		p.o.g.opt.Metrics.Event("published", 1)
		p.ops = append(p.ops, &PutEvent{ID: e.ID, State: EventDone})
		return
	}
	p.o.g.opt.Metrics.Event("failed", 1)
	p.failed[e.Topic] = true
	if p.err == nil {
		p.err = fmt.Errorf("event %d: %w", e.ID, err)
	}
	p.ops = append(p.ops, p.o.retry(e, err))
}

// retry is what becomes of an event that could not be published: it waits for another attempt, or is dead.
func (o *outbox) retry(e *Event, err error) *PutEvent {
	op := &PutEvent{ID: e.ID, State: EventPending, Attempts: e.Attempts + 1}
	if int(op.Attempts) < o.opt.MaxAttempts {
		op.NextAttemptAt = o.g.now() + o.retryAfter(op.Attempts)
		return op
	}
	op.State = EventDead
	o.g.opt.Metrics.Event("dead", 1)
	o.g.log.Error("an outgoing event is given up; an administrator may replay it",
		"event", e.ID, "topic", e.Topic, "attempts", op.Attempts, "error", err)
	return op
}

// retryAfter is how long an event waits after an attempt.
func (o *outbox) retryAfter(attempts uint32) Millis {
	wait := o.opt.RetryAfter
	for range attempts - 1 {
		if wait *= 2; wait >= maxRetryAfter {
			return millis(maxRetryAfter)
		}
	}
	return millis(wait)
}
