package tempest

import (
	"context"
	"sync"
	"time"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/ws"
)

// link is a node's way to the others. The methods of a nil link do nothing.
type link struct {
	within *within

	mu       sync.Mutex
	fault    error
	registry *memory.Registry
	bus      *memory.Bus
}

// open gives a node that starts a new life.
func (l *link) open(options *ws.Options) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.registry, l.bus = l.within.directory.Open(), l.within.broker.Open()
	l.registry.Fail(l.fault)
	options.Registry, options.Bus = l.registry, l.bus
	options.BeatEvery, options.CanaryEvery = 200*time.Millisecond, 200*time.Millisecond
}

// fail makes the registry fail, also for the lives to come.
func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = err
	if l.registry != nil {
		l.registry.Fail(err)
	}
}

// cut is what a kill does: nobody is told anything.
func (l *link) cut() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.registry.Close()
	_ = l.bus.Close(context.Background())
	l.registry = nil
}
