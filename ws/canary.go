package ws

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// canaryLate is after how many missing canaries the bus is doubtful.
	canaryLate = 3
	// listenPatience is how long a subscription may be silent before it is made anew; it doubles each time, up to
	// maxListenPatience. A client of a broker that was away hangs in calls of half a minute, and each new consumer
	// leaves some goroutines behind.
	listenPatience    = 10 * time.Second
	maxListenPatience = 2 * time.Minute
	// listenRetry is how soon a subscription that failed is tried again.
	listenRetry = time.Second
)

// canary is what a node sends to itself through the bus, on each lane, to see that the bus works.
type canary struct {
	g     *Gateway
	heard [2]atomic.Int64 // by Lane: when one came last, monotonic
}

func newCanary(g *Gateway) *canary { return &canary{g: g} }

// canaryBell is a canary on its way.
type canaryBell struct{ lane Lane }

func (b *canaryBell) committed(d *dispatcher) {
	d.g.cluster.canary.heard[b.lane].Store(int64(d.g.mono()))
}

// run sends canaries until ctx ends.
func (c *canary) run(ctx context.Context) {
	ticker := time.NewTicker(c.g.opt.CanaryEvery)
	defer ticker.Stop()
	late := true // until the first one came
	for {
		for _, lane := range []Lane{LaneMessages, LaneNotices} {
			bell := canaryBell{lane: lane}
			c.g.cluster.forwarder.publish(c.g.opt.NodeID, lane, bell.append(newDoorbell(c.g.opt.Incarnation)))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if was := late; was != c.late() {
			late = !was
			c.tell(late)
		}
	}
}

func (c *canary) tell(late bool) {
	if late {
		c.g.log.Warn("the bus does not bring what is sent; delivery goes on through the ledger")
	} else {
		c.g.log.Info("the bus works")
	}
}

// late reports whether what is sent does not come.
func (c *canary) late() bool {
	return c.silence(LaneMessages) > canaryLate*c.g.opt.CanaryEvery || c.silence(LaneNotices) > canaryLate*c.g.opt.CanaryEvery
}

// silence returns for how long no canary has come on a lane; for ever, if none ever did.
func (c *canary) silence(lane Lane) time.Duration {
	heard := c.heard[lane].Load()
	if heard == 0 {
		return time.Duration(1<<63 - 1)
	}
	return time.Duration(int64(c.g.mono())-heard) * time.Millisecond
}

// listen keeps a subscription to what comes for this node on a lane, and makes it anew when it ends or falls silent.
func (c *cluster) listen(ctx context.Context, lane Lane) {
	patience := listenPatience
	for ctx.Err() == nil {
		if heard := c.listenOnce(ctx, lane, patience); heard {
			patience = listenPatience
		} else {
			patience = min(2*patience, maxListenPatience)
		}
	}
}

// listenOnce keeps one subscription until it ends or has been silent for patience. heard says that it ever worked.
func (c *cluster) listenOnce(ctx context.Context, lane Lane, patience time.Duration) (heard bool) {
	began := int64(c.g.mono())
	sub, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.g.opt.Bus.Subscribe(sub, c.g.opt.NodeID, lane, c.bells[lane].receive) }()
	ticker := time.NewTicker(c.g.opt.CanaryEvery)
	defer ticker.Stop()
	var err error
	for alive := true; alive; {
		select {
		case err = <-ended:
			alive = false
		case <-ticker.C:
			last := max(began, c.canary.heard[lane].Load())
			if time.Duration(int64(c.g.mono())-last)*time.Millisecond > patience {
				c.g.log.Warn("nothing comes from the bus; the subscription is made anew", "lane", lane)
				cancel()
				err = <-ended
				alive = false
			}
		}
	}
	cancel()
	if err != nil && ctx.Err() == nil {
		c.g.log.Warn("there is no subscription to the bus; it is tried again", "lane", lane, "error", err)
		pauseContext(ctx, listenRetry)
	}
	return c.canary.heard[lane].Load() > began
}

func pauseContext(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
