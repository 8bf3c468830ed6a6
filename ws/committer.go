package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

// errStopped is what submit returns once the committer takes nothing more.
var errStopped = protocol.NewError(protocol.Draining, "the node is stopping; try again elsewhere")

var errOverloaded = protocol.NewError(protocol.Overloaded, "too much waits to be written; try again later")

const (
	// commitRetry is how soon a ledger that refused is tried again, and commitProbe how soon if nobody waits for it.
	commitRetry = 250 * time.Millisecond
	commitProbe = time.Second
)

// item is what waits to be written, with what follows from it.
type item interface {
	// op is what the Store gets.
	op() Op
	// stamp sets the moment of the commit.
	stamp(now Millis)
	// kept says that the item is tried again until it holds, instead of being refused. Nobody stands and waits for it, so
	// it does not start a commit while another is soon to come.
	kept() bool
	// committed is called by the dispatcher, in commit order, once the item's batch is durable.
	committed(d *dispatcher)
	// refused is called when the item's batch was not written.
	refused(err error)
}

// committer writes whatever has queued while the last commit ran as one: no added delay after a pause, big batches
// under load, and a least time between the starts of two commits, because a machine that syncs thousands of times a
// second does nothing else. Items that are kept ride with the others: they wait until AckDelay after the start of the last
// commit before they start one, so that a message never finds the time taken by acknowledgements. Items are committed in the
// order of submit.
type committer struct {
	store    Committer
	opt      *Options
	now      func() Millis
	dispatch func(batch []item)

	mu      sync.Mutex
	queue   []item
	urgent  int // items of queue that are not kept
	stopped bool
	down    bool
	probeAt time.Time
	wake    chan struct{}

	// The run goroutine's own:
	retained []item    // kept items of batches that failed, in order
	started  time.Time // when the last commit did
}

// submit queues an item. Items that are kept are always taken; others are refused at once while the queue is full, the
// ledger is known to refuse, or the committer has stopped. An error means that nothing of the item will be called.
func (c *committer) submit(it item) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return errStopped
	}
	if !it.kept() {
		if len(c.queue) >= c.opt.CommitQueue {
			return errOverloaded
		}
		if c.down && time.Now().Before(c.probeAt) {
			return ErrUnavailable
		}
	}
	c.queue = append(c.queue, it)
	wake := len(c.queue) == 1 || len(c.queue) == c.opt.CommitBatch
	if !it.kept() {
		c.urgent++
		wake = wake || c.urgent == 1
	}
	if wake {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// run commits until stop was called and everything queued is done.
func (c *committer) run() {
	for {
		batch, more := c.take()
		if len(batch) > 0 {
			if wait := c.opt.CommitInterval - time.Since(c.started); wait > 0 {
				pause(wait)
				batch = c.fill(batch)
			}
			c.started = time.Now()
			_ = c.commit(batch) // its items have been told
			continue
		}
		if !more {
			return
		}
		c.await()
	}
}

// stop makes run finish what is queued and return.
func (c *committer) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take returns the next batch: what was retained first, if its time has come. more is false when nothing will follow.
func (c *committer) take() (batch []item, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down && time.Now().Before(c.probeAt) && !c.stopped {
		return nil, true
	}
	if len(c.retained) == 0 && len(c.queue) == 0 {
		if c.down && !c.stopped && !time.Now().Before(c.probeAt.Add(commitProbe-commitRetry)) {
			return []item{c.probe()}, true
		}
		return nil, !c.stopped
	}
	if c.riding() && time.Since(c.started) < c.opt.AckDelay {
		return nil, true
	}
	n := min(len(c.retained), c.opt.CommitBatch)
	batch = append(batch, c.retained[:n]...)
	c.retained = c.retained[n:]
	return c.fillLocked(batch), true
}

// riding reports whether nothing waits but what may wait for something else to join, and it is no whole batch. The caller
// holds mu.
func (c *committer) riding() bool {
	return c.urgent == 0 && len(c.retained) == 0 && len(c.queue) < c.opt.CommitBatch && !c.stopped
}

func (c *committer) fill(batch []item) []item {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fillLocked(batch)
}

func (c *committer) fillLocked(batch []item) []item {
	if len(c.retained) > 0 {
		return batch // in order: what is kept first
	}
	n := min(len(c.queue), max(0, c.opt.CommitBatch-len(batch)))
	for _, it := range c.queue[:n] {
		if !it.kept() {
			c.urgent--
		}
	}
	if n == len(c.queue) && len(batch) == 0 {
		batch, c.queue = c.queue, make([]item, 0, min(len(c.queue)+len(c.queue)/4+16, c.opt.CommitBatch))
		return batch
	}
	batch = append(batch, c.queue[:n]...)
	rest := copy(c.queue, c.queue[n:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	return batch
}

// await waits for something to do: a new item, the time to try a ledger again that refused, or the end of a ride.
func (c *committer) await() {
	c.mu.Lock()
	waiting, until := len(c.retained)+len(c.queue) > 0, c.started.Add(c.opt.AckDelay)
	switch {
	case c.down && waiting:
		until = c.probeAt
	case c.down:
		until = c.probeAt.Add(commitProbe - commitRetry)
	case !waiting:
		c.mu.Unlock()
		<-c.wake
		return
	}
	c.mu.Unlock()
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-c.wake:
	case <-timer.C:
	}
}

// probe is something to write for a ledger that refused, where nobody wants anything: else nobody would know that it is back.
func (c *committer) probe() item {
	return &probeItem{&TakeLease{Name: probeLease, Holder: c.opt.NodeID}}
}

// probeLease is the name of a lease that stands for nothing.
const probeLease = "probe"

type probeItem struct{ lease *TakeLease }

func (it *probeItem) op() Op                { return it.lease }
func (it *probeItem) stamp(now Millis)      { it.lease.At, it.lease.Until = now, now+1 }
func (it *probeItem) kept() bool            { return false }
func (it *probeItem) committed(*dispatcher) {}
func (it *probeItem) refused(error)         {}

// commit writes a batch. A batch that fails for another reason than an unavailable ledger is split until the item
// that cannot be written stands alone: one bad item never fails the others. Its error is an unavailable ledger's.
func (c *committer) commit(batch []item) (err error) {
	now := c.now()
	ops := make([]Op, len(batch))
	for i, it := range batch {
		it.stamp(now)
		ops[i] = it.op()
	}
	began := time.Now()
	err = c.write(ops)
	c.opt.Metrics.Commit(len(ops), time.Since(began), err == nil)
	switch {
	case err == nil:
		c.healthy()
		c.dispatch(batch)
	case errors.Is(err, ErrUnavailable):
		c.fail(batch, err)
		return err
	case len(batch) == 1:
		c.opt.Log.Error("an item cannot be written", "kind", fmt.Sprintf("%T", ops[0]), "error", err)
		batch[0].refused(err)
	default:
		first, second := batch[:len(batch)/2], batch[len(batch)/2:]
		if err := c.commit(first); err != nil {
			c.fail(second, err) // in order: nothing overtakes what is kept
			return err
		}
		return c.commit(second)
	}
	return nil
}

// write calls the store with a deadline and turns a panic into an error.
func (c *committer) write(ops []Op) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in the store: %v", cause)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), c.opt.CommitTimeout)
	defer cancel()
	err = c.store.Commit(ctx, ops)
	if errors.Is(err, context.DeadlineExceeded) {
		return &protocol.Error{Code: protocol.StorageUnavailable, Message: ErrUnavailable.Message, Cause: err}
	}
	return err
}

// fail refuses what may be refused, and keeps the rest, in order, for the next try. If the try before failed too, what
// may be refused does not wait in the queue either: behind what is kept it might wait for as long as the ledger is away.
func (c *committer) fail(batch []item, err error) {
	c.opt.Log.Warn("the ledger refused a batch", "items", len(batch), "error", err)
	kept, hopeless := part(batch)
	c.mu.Lock()
	stopped := c.stopped
	if c.down {
		queued, waiting := part(c.queue)
		c.queue, c.urgent = queued, 0
		hopeless = append(hopeless, waiting...)
	}
	c.down = true
	c.probeAt = time.Now().Add(commitRetry)
	c.mu.Unlock()
	for _, it := range hopeless {
		it.refused(err)
	}
	if !stopped {
		c.retained = append(c.retained, kept...)
		return
	}
	// Nobody waits any more for the ledger to come back: these are asked for again after the restart, and trying what
	// is queued as well would only take longer.
	for _, it := range append(kept, c.drain()...) {
		it.refused(errStopped)
	}
}

// part divides items into those that are kept and those that may be refused, in order.
func part(items []item) (kept, refusable []item) {
	for _, it := range items {
		if it.kept() {
			kept = append(kept, it)
		} else {
			refusable = append(refusable, it)
		}
	}
	return kept, refusable
}

func (c *committer) drain() []item {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := append(c.retained, c.queue...)
	c.retained, c.queue, c.urgent = nil, nil, 0
	return left
}

func (c *committer) healthy() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		c.down = false
		c.opt.Log.Info("the ledger is written again")
	}
}

func (c *committer) depth() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// refusing reports whether the last commit was refused.
func (c *committer) refusing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down
}
