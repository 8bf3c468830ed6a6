package scenario

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const (
	smallestRing = 1 << 10
	largestRing  = 1 << 16
	// patience is how long nothing may come back while messages are under way.
	patience = 15 * time.Second
)

// Load is what pairs of users send to each other.
type Load struct {
	Users    int           `json:"users"`       // two to a pair
	InFlight int           `json:"in_flight"`   // closed loop: messages of one pair without their proof of delivery
	Rate     float64       `json:"rate"`        // open loop: messages a second of all pairs together; 0 is a closed loop
	Body     int           `json:"body_bytes"`  // of a message
	Duplex   bool          `json:"duplex"`      // both users of a pair send, each with InFlight of its own
	Warmup   time.Duration `json:"warmup_ns"`   // not measured
	Duration time.Duration `json:"duration_ns"` // measured; with Max, at most
	Max      int64         `json:"max"`         // messages; 0: no limit but Duration
	Patient  bool          `json:"patient"`     // temporary refusals are counted and no end of the run, nor is a schedule that fell behind
	Verify   bool          `json:"verify"`      // decode every frame and check that each message came once and in order
}

// Validate says what cannot be run.
func (l *Load) Validate() error {
	switch {
	case l.Users < 2 || l.Users%2 != 0:
		return fmt.Errorf("users: %d; pairs need an even number of at least 2", l.Users)
	case l.Rate < 0 || l.Rate > 1e6:
		return fmt.Errorf("rate: %g; between 0 and a million", l.Rate)
	case l.Rate == 0 && (l.InFlight < 1 || l.InFlight > smallestRing/2):
		return fmt.Errorf("in flight: %d; between 1 and %d", l.InFlight, smallestRing/2)
	case l.Body < 1 || l.Body > 60<<10:
		return fmt.Errorf("body: %d bytes; between 1 and %d", l.Body, 60<<10)
	case l.Duration <= 0:
		return errors.New("duration: a run has to have an end")
	}
	return nil
}

// traffic is one run of a Load.
type traffic struct {
	load Load
	run  string
	base time.Time

	sent, accepted, pushed, acked, delivered, again, refused atomic.Int64

	stopping atomic.Bool
	from     atomic.Int64 // the measured part, in µs since base
	until    atomic.Int64
	reach    *measure.Latency // send to the receiver's frame 2
	proof    *measure.Latency // send to the sender's frame 17
	lag      *measure.Latency // of the generator itself

	clients []*client
}

func newTraffic(load Load) (*traffic, error) {
	if err := load.Validate(); err != nil {
		return nil, err
	}
	var raw [wire.RunChars / 2]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, fmt.Errorf("name the run: %w", err)
	}
	return &traffic{
		load: load, run: hex.EncodeToString(raw[:]), base: time.Now(),
		reach: measure.NewLatency(), proof: measure.NewLatency(), lag: measure.NewLatency(),
	}, nil
}

// now is the time in µs since base, never 0.
func (t *traffic) now() int64 { return time.Since(t.base).Microseconds() + 1 }

// measured reports whether a message sent at that time counts.
func (t *traffic) measured(at int64) bool {
	from, until := t.from.Load(), t.until.Load()
	return from != 0 && at >= from && (until == 0 || at < until)
}

func (t *traffic) ring() int {
	if t.load.Rate == 0 {
		return smallestRing
	}
	perSender := t.load.Rate * patience.Seconds() / float64(t.load.Users/2)
	return min(max(smallestRing, 1<<bits.Len(uint(perSender))), largestRing)
}

// populate makes the clients; index i talks to i^1.
func (t *traffic) populate(conns []*wire.Conn) {
	t.clients = make([]*client, len(conns))
	for i, conn := range conns {
		t.clients[i] = newClient(t, uint32(i), conn)
	}
}

// senders are the clients that begin conversations.
func (t *traffic) senders() []*client {
	if t.load.Duplex {
		return t.clients
	}
	first := make([]*client, 0, len(t.clients)/2)
	for i := 0; i < len(t.clients); i += 2 {
		first = append(first, t.clients[i])
	}
	return first
}

// underway is how many messages have neither their proof nor a refusal yet.
func (t *traffic) underway() int64 { return t.sent.Load() - t.delivered.Load() - t.refused.Load() }

// more reports whether one more message may be sent, and counts it.
func (t *traffic) more() bool {
	if t.stopping.Load() {
		return false
	}
	if n := t.sent.Add(1); t.load.Max > 0 && n > t.load.Max {
		t.sent.Add(-1)
		return false
	}
	return true
}

// Run drives target with load. The Result is good when the error is nil; it may still be spoiled.
func Run(ctx context.Context, target Target, load Load, note *Progress) (Result, error) {
	return RunSite(ctx, Site{Nodes: []Target{target}}, load, note)
}

// RunSite is Run for servers that stand together. With two of them, the two users of each pair are on different ones.
func RunSite(ctx context.Context, site Site, load Load, note *Progress) (Result, error) {
	note.restart()
	t, err := newTraffic(load)
	if err != nil {
		return Result{}, err
	}
	tokens, err := Login(ctx, site.Nodes[0], load.Users)
	if err != nil {
		return Result{}, err
	}
	conns, _, err := connectAcross(ctx, site.Nodes, tokens)
	defer leave(conns)
	if err != nil {
		return Result{}, err
	}
	t.populate(conns)
	return t.drive(ctx, site, note)
}

// drive runs the traffic over standing connections.
func (t *traffic) drive(ctx context.Context, site Site, note *Progress) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if t.load.Warmup == 0 {
		t.from.Store(t.now()) // before the first message
	}
	if err := t.begin(); err != nil {
		return Result{}, err
	}
	group, running := errgroup.WithContext(ctx)
	// A reader stands in a read until its connection is closed under it.
	stop := context.AfterFunc(running, func() { t.hangUp() })
	defer stop()
	for _, c := range t.clients {
		group.Go(c.read)
	}
	group.Go(func() error { return t.pace(running) })

	result, err := t.timeline(running, site, note)
	t.stopping.Store(true)
	cancel()
	if failed := group.Wait(); failed != nil && !errors.Is(failed, context.Canceled) {
		err = failed
	}
	if err == nil && t.load.Verify {
		err = t.verify()
	}
	return result, err
}

// begin puts the first messages of a closed loop under way, before anything else touches the senders.
func (t *traffic) begin() error {
	if t.load.Rate > 0 {
		return nil
	}
	for _, c := range t.senders() {
		for range t.load.InFlight {
			if err := c.next(); err != nil {
				return err
			}
		}
		if err := c.conn.Flush(); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

func (t *traffic) hangUp() {
	t.stopping.Store(true)
	for _, c := range t.clients {
		c.hungUp.Store(true)
		_ = c.conn.Close()
	}
}
