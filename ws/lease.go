package ws

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// outboxLease is the name of the lease of whoever sends events.
	outboxLease = "outbox"
	// renewals is how often a lease is taken again in its term.
	renewals = 4
)

// lease says whether this node is the one that sends events.
//
// It only spares the events from being sent twice, and nothing depends on its being exact. Whoever sends goes through
// the pending events of a key in their order, and passes one only when it was sent, by whomever. So with two nodes at it,
// because one was frozen and woke up, or because their clocks differ, each event still comes first behind those before
// it, and what comes again carries an id that has been seen.
type lease struct {
	o     *outbox
	until atomic.Int64 // monotonic
}

// held reports whether this node sends now. A node alone always does.
func (l *lease) held() bool { return l.o.g.cluster == nil || int64(l.o.g.mono()) < l.until.Load() }

// keep takes the lease again and again until ctx ends, and gives it up then.
func (l *lease) keep(ctx context.Context) {
	ticker := time.NewTicker(l.o.opt.LeaseTerm / renewals)
	defer ticker.Stop()
	for {
		l.take(ctx)
		select {
		case <-ctx.Done():
			l.giveUp(ctx)
			return
		case <-ticker.C:
		}
	}
}

func (l *lease) take(ctx context.Context) {
	g, term := l.o.g, millis(l.o.opt.LeaseTerm)
	began, now, was := g.mono(), g.now(), l.held()
	op := &TakeLease{Name: outboxLease, Holder: g.opt.NodeID, At: now, Until: now + term}
	err := l.o.commit(ctx, op)
	switch {
	case err != nil: // it runs out unless the ledger is back before
		g.log.Debug("the lease of the outbox was not taken", "error", err)
		return
	case op.Err != nil:
		l.until.Store(0)
	default:
		l.until.Store(int64(began + term))
	}
	switch is := l.held(); {
	case is && !was:
		g.log.Info("this node publishes the outgoing events from now on")
	case was && !is:
		g.log.Info("another node publishes the outgoing events from now on")
	}
}

func (l *lease) giveUp(ctx context.Context) {
	if !l.held() {
		return
	}
	l.until.Store(0)
	now := l.o.g.now()
	if err := l.o.commit(ctx, &TakeLease{Name: outboxLease, Holder: l.o.g.opt.NodeID, At: now, Until: now}); err != nil {
		l.o.g.log.Warn("the lease of the outbox was not given up; another node sends when it has run out", "error", err)
	}
}
