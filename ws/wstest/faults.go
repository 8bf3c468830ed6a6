package wstest

import (
	"context"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// faults are what a MemStore was told to do wrong. The zero value does nothing wrong.
type faults struct {
	mu      sync.Mutex
	before  error
	after   error
	reads   error
	delay   time.Duration
	commits gate
	queries gate
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
func (m *MemStore) Hold() (release func()) { return m.faults.hold(&m.faults.commits) }

// HoldReads is Hold for reads.
func (m *MemStore) HoldReads() (release func()) { return m.faults.hold(&m.faults.queries) }

func (f *faults) set(change func(f *faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// gate holds up who comes to it.
type gate struct {
	held chan struct{} // closed by open; nil while nobody is held
}

// open lets those go on who are held. The caller holds the mutex of the faults.
func (g *gate) open() {
	if g.held != nil {
		close(g.held)
		g.held = nil
	}
}

// hold shuts a gate and returns what opens it again, unless somebody else has shut it meanwhile.
func (f *faults) hold(g *gate) (release func()) {
	held := make(chan struct{})
	f.set(func(*faults) {
		g.open()
		g.held = held
	})
	return func() {
		f.set(func(*faults) {
			if g.held == held {
				g.open()
			}
		})
	}
}

// end opens the gates for good.
func (f *faults) end() {
	f.set(func(f *faults) {
		f.commits.open()
		f.queries.open()
	})
}

// pass waits as long as a gate is shut. An error says that the context ended meanwhile.
func (f *faults) pass(ctx context.Context, g *gate) error {
	f.mu.Lock()
	held := g.held
	f.mu.Unlock()
	if held == nil {
		return nil
	}
	select {
	case <-held:
		return nil
	case <-ctx.Done():
		return ws.ErrUnavailable
	}
}

// await waits as long as a commit is to be held and delayed, and returns what is to be answered before and after it.
// err says that the context ended meanwhile.
func (f *faults) await(ctx context.Context) (before, after, err error) {
	if err := f.pass(ctx, &f.commits); err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	delay := f.delay
	f.mu.Unlock()
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

// read waits as long as reads are held, and returns what they are to fail with.
func (f *faults) read(ctx context.Context) error {
	if err := f.pass(ctx, &f.queries); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}
