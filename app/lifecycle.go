package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// The states of a Bundle.
const (
	stateBuilt  int32 = iota
	stateFailed       // Start did
	stateServing
	stateLeaving // serves on, but says that it is not ready
	stateStopped
)

// freeTime is how long what cannot be cut short may take to free once Stop's own time is over.
const freeTime = time.Second

// Start begins to serve. ctx bounds the start only. A Bundle starts once; after Stop it does not start again, and a Stop
// meanwhile cuts it short.
func (b *Bundle) Start(ctx context.Context) error {
	b.starting.Lock()
	defer b.starting.Unlock()
	if !b.state.CompareAndSwap(stateBuilt, stateFailed) {
		return errors.New("app: a Bundle starts once, and not after Stop")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.stopAsked, cancel)()
	if err := b.gateway.Start(ctx); err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	b.state.Store(stateServing)
	if b.announcer != nil {
		b.announcer.Start()
	}
	return nil
}

// Stop drains: not ready, serve on for drain.delay, refuse new connections, close the sessions spread over drain.spread,
// finish what is being written, free everything. It returns within drain.timeout, or sooner when ctx ends; what is cut
// short then is safe in the ledger. Call it before http.Server.Shutdown. Further calls wait for the first one and
// return its result.
func (b *Bundle) Stop(ctx context.Context) error {
	b.stopOnce.Do(func() {
		b.askStop()
		b.starting.Lock()
		defer b.starting.Unlock()
		ctx, cancel := context.WithTimeout(ctx, b.cfg.Drain.Timeout)
		defer cancel()
		if b.state.CompareAndSwap(stateServing, stateLeaving) {
			if b.announcer != nil {
				b.announcer.Drain()
			}
			pause(ctx, b.cfg.Drain.Delay)
		}
		b.leaveDiscovery(ctx)
		b.gateway.Drain()
		b.stopErr = b.gateway.Stop(ctx)
		b.state.Store(stateStopped)
		b.stopErr = errors.Join(b.stopErr, b.free(ctx))
	})
	return b.stopErr
}

// free is cleanUp within freeTime beyond ctx: a disk that hangs must not keep the process from ending.
func (b *Bundle) free(ctx context.Context) error {
	freed := make(chan error, 1)
	go func() { freed <- b.cleanUp() }()
	select {
	case err := <-freed:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-freed:
		return err
	case <-time.After(freeTime):
		return errors.New("the ledger, or what else is to be freed, hangs; the process can end all the same: what was accepted is safe")
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// serving reports whether requests can be served.
func (b *Bundle) serving() bool {
	state := b.state.Load()
	return state == stateServing || state == stateLeaving
}

// Health returns what /readyz says.
func (b *Bundle) Health(ctx context.Context) ws.Health {
	h := b.gateway.Health(ctx)
	if b.client != nil {
		h.Report("sso", b.client.Reachable(), "does not answer; known tokens go on")
	}
	if b.announcer != nil {
		h.Report("discovery", b.announcer.Known(), "does not answer; the node serves on and is announced by itself")
	}
	if b.state.Load() == stateLeaving {
		h.Ready, h.Status = false, "draining"
	}
	return h
}
