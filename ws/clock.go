package ws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// clockEvery is how often a node compares its clock with that of the ledger's server.
	clockEvery = 10 * time.Second
	// clockTolerance is how far a node's clock may be off before it is put right. What nodes do by the clock is delayed messages,
	// ttlSeconds and retention, which all count in seconds, and clocks that are kept by NTP differ by far less.
	clockTolerance = time.Second
	// clockTrip is the longest question that says anything about a clock.
	clockTrip = 2 * time.Second
)

// timeTeller is a Store on a server that other nodes use too, by whose clock all of them can go.
type timeTeller interface {
	// Time returns what the server's clock shows.
	Time(ctx context.Context) (Millis, error)
}

// clock is the wall clock of a node, put right by that of the ledger's server where it is off: records of all nodes are stamped alike,
// and a node whose clock is ahead does not delete what is not old yet, or send what is not due.
type clock struct {
	own    Clock
	teller timeTeller   // nil: there is no other clock
	ahead  atomic.Int64 // how many milliseconds the node's own is ahead; zero within clockTolerance
	asking sync.Mutex   // held by whoever compares
}

func newClock(own Clock, store Store) *clock {
	teller, _ := store.(timeTeller)
	return &clock{own: own, teller: teller}
}

func (c *clock) now() Millis { return Millis(c.own().UnixMilli() - c.ahead.Load()) }

// errLateTime is told of a server that took so long to say what time it is that it may be any.
var errLateTime = errors.New("the server took too long to say what time it is")

// compare reports how far the node's own clock is ahead of the server's, and whether that is something new. After an error nobody
// knows.
func (c *clock) compare(ctx context.Context) (ahead time.Duration, news bool, err error) {
	if c.teller == nil {
		return 0, false, nil
	}
	c.asking.Lock()
	defer c.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, clockTrip)
	defer cancel()
	asked := c.own()
	there, err := c.teller.Time(ctx)
	trip := c.own().Sub(asked)
	if err == nil && (trip < 0 || trip > clockTrip) {
		err = errLateTime
	}
	if err != nil {
		return 0, false, err
	}
	ahead = asked.Add(trip / 2).Sub(time.UnixMilli(int64(there)))
	was := time.Duration(c.ahead.Load()) * time.Millisecond
	if (ahead-was).Abs() <= clockTolerance+trip/2 && (was == 0 || ahead.Abs() > clockTolerance/2) {
		return was, false, nil // what was put right stays so, or it would come and go around the tolerance
	}
	if ahead.Abs() <= clockTolerance+trip/2 {
		ahead = 0
	}
	c.ahead.Store(ahead.Milliseconds())
	return ahead, ahead != was, nil
}

// keepClock compares the clocks until the gateway ends.
func (g *Gateway) keepClock() {
	ticker := time.NewTicker(clockEvery)
	defer ticker.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
			if err := g.checkClock(g.ctx); err != nil {
				g.log.Debug("the clock was not compared with the database's", "error", err)
			}
		}
	}
}

// checkClock compares the clocks.
func (g *Gateway) checkClock(ctx context.Context) error {
	ahead, news, err := g.clock.compare(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("compare the clock with the database's: %w", err)
	case news && ahead == 0:
		g.log.Info("this node's clock is right again")
	case news:
		g.log.Warn("this node's clock differs from the database's, by which it goes now: put it right", "ahead", ahead)
	}
	return nil
}
