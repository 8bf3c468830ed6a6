package ws

import (
	"context"
	"sync"
	"time"
)

const (
	// laterEvery is how long a write waits for others at most.
	laterEvery = 30 * time.Second
	// laterBatch is from how many waiting writes on they do not wait any longer, and maxLater how many there may be.
	laterBatch = 1024
	maxLater   = 8 * laterBatch
)

// later are writes that nobody waits for, and that are not worth a commit of their own: of ten thousand sessions that only
// stand, some have to note each second that they still do.
type later struct {
	mu   sync.Mutex
	ops  []Op
	full chan struct{}
}

func newLater() *later { return &later{full: make(chan struct{}, 1)} }

// WriteLater commits an operation within half a minute, together with others and in no order with anything. Nobody is told
// how it went; it is lost if the ledger refuses it, the node dies, or thousands of others wait.
func (g *Gateway) WriteLater(op Op) {
	l := g.later
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ops) == maxLater {
		return
	}
	if l.ops = append(l.ops, op); len(l.ops) >= laterBatch {
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
}

// run writes until ctx ends, and then what is left.
func (l *later) run(ctx context.Context, g *Gateway) {
	ticker := time.NewTicker(laterEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			l.write(ctx, g)
			return
		case <-ticker.C:
		case <-l.full:
		}
		l.write(ctx, g)
	}
}

func (l *later) write(ctx context.Context, g *Gateway) {
	for {
		ops := l.take()
		if len(ops) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.opt.CommitTimeout)
		err := g.store.Commit(ctx, ops)
		cancel()
		if err != nil {
			g.log.Debug("writes that nobody waits for were not made", "writes", len(ops), "error", err)
		}
	}
}

func (l *later) take() []Op {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.ops), laterBatch)
	ops := l.ops[:n:n]
	l.ops = l.ops[n:]
	return ops
}
