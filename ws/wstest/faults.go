package wstest

import (
	"context"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// faults are what a MemStore was told to do wrong. The zero value does nothing wrong.
type faults struct {
	mu     sync.Mutex
	before error
	after  error
	reads  error
	delay  time.Duration
	held   chan struct{} // closed by release; nil while commits are not held
}

// FailCommits makes every later Commit return err and change nothing, until it is called with nil.
func (m *MemStore) FailCommits(err error) { m.faults.set(func(f *faults) { f.before = err }) }

// FailAfterCommits makes every later Commit take effect and return err nonetheless, as a ledger does whose answer got
// lost, until it is called with nil. err should be ws.ErrUnavailable: no other error may hold nonetheless.
func (m *MemStore) FailAfterCommits(err error) { m.faults.set(func(f *faults) { f.after = err }) }

// FailReads makes every later read return err, until it is called with nil.
func (m *MemStore) FailReads(err error) { m.faults.set(func(f *faults) { f.reads = err }) }

// DelayCommits makes every later Commit take d longer, until it is called with 0.
func (m *MemStore) DelayCommits(d time.Duration) { m.faults.set(func(f *faults) { f.delay = d }) }

// Hold makes every later Commit wait, before it changes anything, until release is called, its context ends or the
// store is closed. release may be called more than once.
func (m *MemStore) Hold() (release func()) {
	held := make(chan struct{})
	m.faults.set(func(f *faults) {
		f.open()
		f.held = held
	})
	return func() {
		m.faults.set(func(f *faults) {
			if f.held == held {
				f.open()
			}
		})
	}
}

func (f *faults) set(change func(f *faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// open lets held commits go on. The caller holds mu.
func (f *faults) open() {
	if f.held != nil {
		close(f.held)
		f.held = nil
	}
}

// end lets held commits go on for good.
func (f *faults) end() { f.set((*faults).open) }

// await waits as long as a commit is to be held and delayed, and returns what is to be answered before and after it.
// err says that the context ended meanwhile.
func (f *faults) await(ctx context.Context) (before, after, err error) {
	f.mu.Lock()
	held, delay := f.held, f.delay
	f.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return nil, nil, ws.ErrUnavailable
		}
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, nil, ws.ErrUnavailable
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.before, f.after, nil
}

func (f *faults) read() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}
