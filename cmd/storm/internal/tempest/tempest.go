package tempest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/storm/internal/client"
	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// World is what is to survive: one node or many, and what they stand on.
type World interface {
	// Start returns when all nodes are ready.
	Start(ctx context.Context) error
	// Nodes returns the URLs of the nodes, the same after each start.
	Nodes() []string
	// Login returns a token for an openid that every node takes, also after its death.
	Login(ctx context.Context, openID string) (token string, err error)
	// Series draws what goes wrong. Strikes of different series may fall together.
	Series(r *rand.Rand) []fault.Series
	// Alive returns an error if something ended by itself.
	Alive() error
	// Stop ends all nodes in order.
	Stop() error
	// Check verifies what the stopped nodes have stored.
	Check(ctx context.Context) error
}

// Tempest is one storm.
type Tempest struct {
	Settings
	world   World
	out     io.Writer
	log     *history.Log
	http    *http.Client
	devices []participant
	under   under
	blowing atomic.Bool  // messages may be made
	tickets atomic.Int64 // messages that may still be made
}

// Outcome is how a storm ended. Err is what kept it from being a storm, or the world's own failure.
type Outcome struct {
	Report *history.Report
	Events []history.Event
	Took   time.Duration
	Err    error
}

// New prepares a storm over a world that does not run yet. Progress goes to out.
func New(s Settings, world World, out io.Writer) *Tempest {
	t := &Tempest{Settings: s, world: world, out: out, log: history.NewLog()}
	t.tickets.Store(int64(s.Messages))
	t.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.Clients, IdleConnTimeout: 10 * time.Second}}
	return t
}

// Run lets the storm blow, waits until it is quiet and checks everything. It is called once.
func (t *Tempest) Run(ctx context.Context) Outcome {
	began := time.Now()
	err := t.blow(ctx)
	if stopped := t.world.Stop(); stopped != nil {
		err = errors.Join(err, stopped)
	} else if err == nil {
		err = t.world.Check(ctx)
	}
	t.http.CloseIdleConnections()
	events := t.log.Events()
	return Outcome{Report: history.Check(events), Events: events, Took: time.Since(began), Err: err}
}

func (t *Tempest) blow(ctx context.Context) error {
	if err := t.world.Start(ctx); err != nil {
		return err
	}
	base := client.Config{Nodes: t.world.Nodes(), Log: t.log, HTTP: t.http, Ticket: t.ticket}
	var err error
	if t.devices, err = t.participants(base, func(openID string) (string, error) { return t.world.Login(ctx, openID) }); err != nil {
		return err
	}
	clients, leave := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer leave()
	join := func(p participant) { running.Go(func() { p.device.Run(clients) }) }
	show, hide := context.WithCancel(ctx)
	defer hide()
	running.Go(func() { t.progress(show) })
	if err := t.gather(ctx, join); err != nil {
		return err
	}
	t.blowing.Store(true)
	if err := t.rage(ctx, join); err != nil {
		return err
	}
	return t.quiet(ctx)
}

// ticket grants one message.
func (t *Tempest) ticket() bool {
	if !t.blowing.Load() {
		return false
	}
	if t.tickets.Add(-1) >= 0 {
		return true
	}
	t.tickets.Store(0)
	return false
}

// gather has everybody connect who is there from the beginning: nobody can write to a user whom the server never saw.
func (t *Tempest) gather(ctx context.Context, join func(participant)) error {
	for _, p := range t.devices {
		if p.after == 0 {
			join(p)
		}
	}
	return t.until(ctx, "everybody is connected", func() bool {
		for _, p := range t.devices {
			if p.after == 0 && !p.device.Connected() {
				return false
			}
		}
		return true
	})
}

// rage lets everything go wrong while messages flow, and returns when all of it is mended and all messages are answered.
func (t *Tempest) rage(ctx context.Context, join func(participant)) error {
	ctx, end := context.WithCancel(ctx)
	strikers, striking := errgroup.WithContext(ctx)
	over := make(chan error, 1)
	r := rand.New(rand.NewPCG(t.Seed, 3))
	for i, series := range t.world.Series(r) {
		own := rand.New(rand.NewPCG(t.Seed, 5+uint64(i)))
		strikers.Go(func() error { return t.strike(striking, series, own) })
	}
	go func() { over <- strikers.Wait() }()
	calm := false
	err := t.untilErr(ctx, "every message is answered", func() (bool, error) {
		t.joinLater(join)
		select {
		case err := <-over:
			calm = true
			return false, err
		default:
		}
		return calm && t.tickets.Load() <= 0 && t.idle(), nil
	})
	end()
	if !calm {
		err = errors.Join(err, <-over)
	}
	return err
}

// joinLater brings in the devices that come when the storm is on.
func (t *Tempest) joinLater(join func(participant)) {
	accepted := t.accepted()
	for i := range t.devices {
		if p := &t.devices[i]; p.after > 0 && accepted >= p.after {
			p.after = 0
			join(*p)
		}
	}
}

// accepted counts 0s, repeats among them: near enough to tell when it is time for something.
func (t *Tempest) accepted() int { return t.log.Count(history.Accepted) }

func (t *Tempest) idle() bool {
	for _, p := range t.devices {
		if !p.device.Idle() {
			return false
		}
	}
	return true
}

const lookEvery = 2 * time.Millisecond

func (t *Tempest) until(ctx context.Context, what string, done func() bool) error {
	return t.untilErr(ctx, what, func() (bool, error) { return done(), nil })
}

// untilErr waits until done says so; what is said when ctx ends first.
func (t *Tempest) untilErr(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if over, err := done(); over || err != nil {
			return err
		}
		if err := t.world.Alive(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
