package rocketbus

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// receiver hands over what one consumer gets.
type receiver struct {
	bus     *Bus
	receive func(body []byte)

	mu    sync.Mutex // held while receive runs
	ended bool
}

// consume is called by the client, and by one goroutine at a time for each queue. It takes everything: asking for a
// body again would change the order, and what it is needed for is in the ledger.
func (r *receiver) consume(_ context.Context, msgs ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return consumer.ConsumeSuccess, nil
	}
	for _, msg := range msgs {
		r.hand(msg)
	}
	r.bus.opt.Metrics.Received(len(msgs))
	return consumer.ConsumeSuccess, nil
}

// hand hands over one body: a copy, since the client's lies in a buffer with others.
func (r *receiver) hand(msg *primitive.MessageExt) {
	defer func() {
		if cause := recover(); cause != nil {
			r.bury(msg, cause)
		}
	}()
	r.receive(bytes.Clone(msg.Body))
}

// bury puts away a body that receive panicked of, for somebody to look at.
func (r *receiver) bury(msg *primitive.MessageExt, cause any) {
	err := r.bus.deadLetter(msg)
	r.bus.opt.Log.Error("a body could not be digested and goes to "+TopicDeadLetter, "topic", msg.Topic, "key", msg.GetKeys(),
		"panic", describe(cause), "stack", string(debug.Stack()), "lost", err)
}

// end returns when receive is not running and will not be called any more.
func (r *receiver) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

// describe tells of a panic, and nothing of the body that it may be about.
func describe(cause any) string {
	if err, ok := cause.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", cause)
}
