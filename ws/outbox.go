package ws

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

// outbox tells other systems what happens. Events are written to the ledger in the commit of their cause; one node at a
// time, the holder of the lease, sends them on. A Gateway without Options.Events has none, and nothing is written.
type outbox struct {
	g         *Gateway
	opt       EventOptions
	ofSend    func(*Send) []Event // messageStored, bound once
	lease     *lease
	relay     *relay
	checks    *offlineChecks
	presences *presenceEvents

	working sync.WaitGroup
	end     context.CancelFunc
}

func newOutbox(g *Gateway) (*outbox, error) {
	if g.opt.Events == nil {
		return nil, nil
	}
	o := &outbox{g: g, opt: *g.opt.Events}
	if err := o.opt.validate(); err != nil {
		return nil, err
	}
	o.opt.setDefaults()
	o.ofSend = o.messageStored
	o.lease = &lease{o: o}
	o.relay = newRelay(o)
	o.checks = &offlineChecks{o: o}
	o.presences = newPresenceEvents(o)
	return o, nil
}

// eventsOfSend returns what a Send writes to the outbox; nil while events are off.
func (g *Gateway) eventsOfSend() func(*Send) []Event {
	if g.outbox == nil {
		return nil
	}
	return g.outbox.ofSend
}

func (o *outbox) start() {
	ctx, end := context.WithCancel(o.g.ctx)
	o.end = end
	if o.g.cluster != nil {
		o.working.Go(func() { o.lease.keep(ctx) })
	}
	o.working.Go(func() { o.whileHeld(ctx, o.relay.pass, o.relay.rest) })
	o.working.Go(func() { o.whileHeld(ctx, o.checks.pass, func() {}) })
	o.working.Go(func() { o.presences.run(ctx) })
}

// stop says who is offline by the end of this node, and lets another one send, as far as ctx allows. Every session is
// gone, and the registry knows it.
func (o *outbox) stop(ctx context.Context) {
	o.presences.finish(ctx)
	o.end()
	if err := wait(ctx, &o.working); err != nil {
		o.g.log.Warn("an event was being sent at the end; it is sent again by another node, or at the next start", "error", err)
	}
}

// whileHeld makes passes while this node holds the lease, until ctx ends: at once while there is more to do, else each
// PollEvery. rest is called when there is nothing to do because another node does it.
func (o *outbox) whileHeld(ctx context.Context, pass func(context.Context) (more bool), rest func()) {
	ticker := time.NewTicker(o.opt.PollEvery)
	defer ticker.Stop()
	for {
		for ctx.Err() == nil && o.lease.held() && pass(ctx) {
		}
		if !o.lease.held() {
			rest()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// commit writes to the ledger without waiting for what clients write. What was begun is finished when ctx ends.
func (o *outbox) commit(ctx context.Context, ops ...Op) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.g.opt.CommitTimeout)
	defer cancel()
	return o.g.store.Commit(ctx, ops)
}

// Outbox lists up to limit outgoing events in state with ids above after; next is 0 at the end.
func (g *Gateway) Outbox(ctx context.Context, state EventState, after uint64, limit int) (items []Event, next uint64, err error) {
	items, err = g.store.Events(ctx, state, after, limit+1)
	if err == nil && len(items) > limit {
		items = items[:limit]
		next = items[limit-1].ID
	}
	return items, next, err
}

// Replay has a dead event sent again, as if it were new. It comes after what was sent of its key meanwhile. Refused with
// not_found; with conflict while it still waits to be sent.
func (g *Gateway) Replay(ctx context.Context, id uint64) error {
	dead, err := g.hasEvent(ctx, EventDead, id)
	if err != nil {
		return err
	}
	if dead {
		return g.write(ctx, &PutEvent{ID: id, State: EventPending})
	}
	pending, err := g.hasEvent(ctx, EventPending, id)
	if err == nil && pending {
		err = protocol.NewError(protocol.Conflict, "the event is not dead: it still waits to be sent")
	} else if err == nil {
		err = protocol.NewError(protocol.NotFound, "there is no event "+strconv.FormatUint(id, 10)+"; one that was sent is gone")
	}
	return err
}

func (g *Gateway) hasEvent(ctx context.Context, state EventState, id uint64) (bool, error) {
	if id == 0 {
		return false, nil
	}
	found, err := g.store.Events(ctx, state, id-1, 1)
	return err == nil && len(found) > 0 && found[0].ID == id, err
}
