package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// reapAfter is for how many beats a registry has to have answered until nodes are taken out, and who is not there counts as
// offline: when it is back after an outage no node has been heard for long, and each comes with its next beat.
const reapAfter = 3

// cluster is this node's part in a cluster: it says where its sessions are, rings other nodes for what was committed
// here, and is rung by them. Nothing of it is needed for a message to arrive: what it loses, the reconciler finds in the
// ledger. A Gateway without Registry and Bus has none.
type cluster struct {
	g         *Gateway
	routes    *routeKeeper
	roll      *roll
	forwarder *forwarder // of what was committed
	signals   *forwarder // of what is kept nowhere
	canary    *canary
	bells     [2]*bells // by Lane

	sending sync.WaitGroup // the forwarders
	keeping sync.WaitGroup // the route keeper and the beats
	endKeep context.CancelFunc
	beatNow chan struct{}
}

func newCluster(g *Gateway) *cluster {
	if g.opt.Registry == nil || g.opt.Bus == nil {
		return nil
	}
	return &cluster{
		g: g, routes: newRouteKeeper(g), roll: newRoll(g), forwarder: newForwarder(g, forwardQueue, 0), signals: newForwarder(g, signalQueue, signalEvery), canary: newCanary(g), beatNow: make(chan struct{}, 1),
		bells: [2]*bells{LaneMessages: newBells(g, LaneMessages), LaneNotices: newBells(g, LaneNotices)},
	}
}

// start joins. A registry or bus that does not answer does not keep the node from serving: it is degraded until they do.
// The error says that another process lives under the node's name. At the node's own address that is the node itself,
// killed a moment ago: this life serves, and joins when the registry holds the one before for dead.
func (c *cluster) start(ctx context.Context) error {
	if err := c.beat(ctx); err != nil {
		if taken := (*NodeTakenError)(nil); errors.As(err, &taken) && !c.formerLife(err) {
			return err
		}
	}
	keep, end := context.WithCancel(c.g.ctx)
	c.endKeep = end
	c.keeping.Go(func() { c.routes.run(keep) })
	c.keeping.Go(func() { c.runBeats(keep) })
	c.sending.Go(c.forwarder.run)
	c.sending.Go(c.signals.run)
	for _, lane := range []Lane{LaneMessages, LaneNotices} {
		c.g.wg.Go(c.bells[lane].run)
		c.g.wg.Go(func() { c.listen(c.g.ctx, lane) })
	}
	c.g.wg.Go(func() { c.canary.run(c.g.ctx) })
	return nil
}

// stop tells the others what is left to tell and leaves, as far as ctx allows. Nothing is committed any more, and every
// session is gone.
func (c *cluster) stop(ctx context.Context) {
	_ = wait(ctx, &c.sending) // what is not sent, the reconcilers of the others find
	c.endKeep()
	c.keeping.Wait()
	if c.routes.isDown() {
		_ = c.beat(ctx) // it may be back: nobody asks after this
	}
	c.routes.flush(ctx)
	c.g.watch.ring.send(ctx)
	ctx, cancel := context.WithTimeout(ctx, c.g.opt.RegistryTimeout)
	defer cancel()
	if err := c.g.opt.Registry.Leave(ctx, c.g.self()); err != nil {
		c.g.log.Warn("the registry was not told that this node leaves; the others find out", "error", err)
	}
}

// locate returns where users have sessions, on all nodes that live.
func (c *cluster) locate(users []string) ([]Route, error) {
	if c.routes.isDown() {
		return nil, errRegistryDown
	}
	ctx, cancel := context.WithTimeout(c.g.ctx, c.g.opt.RegistryTimeout)
	defer cancel()
	routes, err := c.g.opt.Registry.Locate(ctx, users)
	if err != nil {
		c.routes.failed(err)
		return nil, fmt.Errorf("ask the registry where users are: %w", err)
	}
	return c.roll.present(c.g.ctx, routes), nil
}

// settled reports whether the registry knows all sessions, as far as it has been found to have lost some.
func (c *cluster) settled(ctx context.Context) bool {
	return c == nil || c.routes.settled() && c.roll.listsSelf(ctx)
}

var errRegistryDown = errors.New("the registry does not answer")

// doubtful reports whether doorbells may be lost now, so that the ledger has to be looked at more often.
func (c *cluster) doubtful() bool { return c != nil && (c.routes.isDown() || c.canary.late()) }

// runBeats says that this node lives, and takes out those that do not, until ctx ends; what is under way then is finished, as
// with routes.
func (c *cluster) runBeats(ctx context.Context) {
	uncut := context.WithoutCancel(ctx)
	ticker := time.NewTicker(c.g.opt.BeatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.beatNow:
		}
		if err := c.beat(uncut); err == nil && c.routes.steadyFor() >= reapAfter*c.g.opt.BeatEvery {
			c.reap(uncut)
		}
		c.roll.follow(ctx)
	}
}

// beatSoon has the registry told at once what has changed about this node.
func (c *cluster) beatSoon() {
	select {
	case c.beatNow <- struct{}{}:
	default:
	}
}

func (c *cluster) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.g.opt.RegistryTimeout)
	defer cancel()
	joined, err := c.g.opt.Registry.Beat(ctx, c.g.self())
	switch {
	case c.formerLife(err):
		c.routes.failed(errFormerLife)
	case err != nil:
		c.routes.failed(err)
	default:
		c.routes.answered(joined)
	}
	return err
}

var errFormerLife = errors.New("this node's former life counts as alive yet, and this one joins when that has been silent for long enough; " +
	"if that never happens, another process has the same node.advertise")

// formerLife reports whether err says that the node's name is held at its own address.
func (c *cluster) formerLife(err error) bool {
	var taken *NodeTakenError
	return errors.As(err, &taken) && taken.Address == c.g.opt.Advertise
}

// reap takes out nodes that are silent: their users are offline, and nobody rings for them any more. Thousands may have been
// there, so that it has until the next beat is due; that is also what tells whether the registry answers.
func (c *cluster) reap(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, max(c.g.opt.RegistryTimeout, c.g.opt.BeatEvery))
	defer cancel()
	gone, err := c.g.opt.Registry.Reap(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		c.g.log.Warn("routes of silent nodes are left; the next beat goes on with them", "error", err)
	}
	if len(gone) > 0 {
		c.g.log.Warn("the sessions of a silent node are over", "node", gone[0].Node, "sessions", len(gone))
		for i := range gone {
			c.g.watch.noteHere(gone[i].User)
		}
		if c.g.outbox != nil {
			c.g.outbox.presences.reaped(gone)
		}
	}
}

// health says how registry and bus are.
func (c *cluster) health(h *Health) {
	const problem = "does not answer; delivery goes on through the ledger"
	h.Report("registry", !c.routes.isDown(), problem)
	h.Report("bus", !c.canary.late(), problem)
}
