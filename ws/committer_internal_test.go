package ws

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newIdleCommitter returns a committer that nobody runs, whose last commit began a moment ago.
func newIdleCommitter() *committer {
	return &committer{
		opt:  &Options{CommitInterval: time.Hour, AckDelay: 2 * time.Hour, CommitBatch: 3, CommitQueue: 10},
		wake: make(chan struct{}, 1), started: time.Now(),
	}
}

// woken reports whether the run goroutine would have been woken since the last call.
func (c *committer) woken() bool {
	select {
	case <-c.wake:
		return true
	default:
		return false
	}
}

func TestCommitter_AcknowledgementsRide(t *testing.T) {
	c := newIdleCommitter()
	ack, send := &ackItem{}, &sendItem{}
	require.NoError(t, c.submit(ack))
	require.True(t, c.woken())
	batch, more := c.take()
	require.Empty(t, batch, "an acknowledgement alone waits for a message to come")
	require.True(t, more)

	require.NoError(t, c.submit(send))
	require.True(t, c.woken(), "a message ends the wait")
	batch, _ = c.take()
	require.Equal(t, []item{ack, send}, batch)

	require.NoError(t, c.submit(ack))
	c.started = c.started.Add(-c.opt.AckDelay)
	batch, _ = c.take()
	require.Equal(t, []item{ack}, batch, "but not for ever")
}

func TestCommitter_AcknowledgementsOfAWholeBatchGo(t *testing.T) {
	c := newIdleCommitter()
	for range c.opt.CommitBatch - 1 {
		require.NoError(t, c.submit(&ackItem{}))
	}
	require.True(t, c.woken())
	batch, _ := c.take()
	require.Empty(t, batch)
	require.NoError(t, c.submit(&ackItem{}))
	require.True(t, c.woken(), "nothing more could join")
	batch, _ = c.take()
	require.Len(t, batch, c.opt.CommitBatch)
}

func TestCommitter_AcknowledgementsDoNotOutliveIt(t *testing.T) {
	c := newIdleCommitter()
	require.NoError(t, c.submit(&ackItem{}))
	c.stop()
	batch, more := c.take()
	require.Len(t, batch, 1)
	require.True(t, more)
	_, more = c.take()
	require.False(t, more)
}

func TestCommitter_CountsWhatABatchLeaves(t *testing.T) {
	c := newIdleCommitter()
	for range 2 {
		require.NoError(t, c.submit(&ackItem{}))
		require.NoError(t, c.submit(&sendItem{}))
	}
	require.NoError(t, c.submit(&ackItem{}))
	batch, _ := c.take()
	require.Len(t, batch, c.opt.CommitBatch)
	batch, _ = c.take()
	require.Len(t, batch, 2, "a message was left")
	require.NoError(t, c.submit(&ackItem{}))
	batch, _ = c.take()
	require.Empty(t, batch, "none is left")
}

// refuser is a ledger that cannot be written while it is down.
type refuser struct {
	down    bool
	written []Op
}

func (r *refuser) Commit(_ context.Context, ops []Op) error {
	if r.down {
		return ErrUnavailable
	}
	r.written = append(r.written, ops...)
	return nil
}

func TestCommitter_NothingWaitsBehindWhatIsKept(t *testing.T) {
	ledger := &refuser{down: true}
	c := newIdleCommitter()
	c.opt = &Options{CommitBatch: 2, CommitQueue: 100, CommitTimeout: time.Minute, Metrics: NoMetrics{}, Log: slog.New(slog.DiscardHandler)}
	c.store, c.now, c.dispatch = ledger, func() Millis { return 1 }, func([]item) {}
	var want []Op
	keep := func() {
		it := &ackItem{}
		want = append(want, it.op())
		require.NoError(t, c.submit(it))
	}
	open := &callItem{what: &OpenDevice{}, done: make(chan struct{})}
	for range 4 {
		keep()
	}
	require.NoError(t, c.submit(open))
	keep()

	try := func() {
		c.probeAt = time.Time{}
		batch, _ := c.take()
		_ = c.commit(batch)
	}
	try()
	require.Len(t, c.queue, 4, "a first failure may be a passing one")
	try()
	select {
	case <-open.done:
		require.ErrorIs(t, open.what.Result().Err, ErrUnavailable)
	default:
		t.Fatal("it waits behind what is kept")
	}
	ledger.down = false
	for range 3 {
		try()
	}
	require.Len(t, ledger.written, len(want))
	for i := range want {
		require.Same(t, want[i], ledger.written[i], "acknowledgement %d", i)
	}
	require.True(t, c.riding())
}
