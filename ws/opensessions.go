package ws

import (
	"context"
	"sync"
)

// openSessions are the sessions whose goroutines run: those of the hub, and those on their way in or out. Once it is
// closed nobody enters. It is safe for concurrent use.
type openSessions struct {
	mu     sync.Mutex
	set    map[*Session]struct{}
	closed bool
	empty  chan struct{} // closed when closed and empty
}

func newOpenSessions() *openSessions {
	return &openSessions{set: make(map[*Session]struct{}), empty: make(chan struct{})}
}

// enter reports whether s may run.
func (o *openSessions) enter(s *Session) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.set[s] = struct{}{}
	return true
}

func (o *openSessions) leave(s *Session) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.set, s)
	if o.closed && len(o.set) == 0 {
		close(o.empty)
	}
}

// close lets nobody in any more.
func (o *openSessions) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.closed = true
	if len(o.set) == 0 {
		close(o.empty)
	}
}

func (o *openSessions) all() []*Session {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]*Session, 0, len(o.set))
	for s := range o.set {
		list = append(list, s)
	}
	return list
}

// wait waits until the last one has left.
func (o *openSessions) wait(ctx context.Context) error {
	select {
	case <-o.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
