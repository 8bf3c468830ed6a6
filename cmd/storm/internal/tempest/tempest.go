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

	"github.com/yanlink/yanlink/cmd/storm/internal/client"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// Server is what is to survive.
type Server interface {
	URL() string
	// Start returns when the server is ready.
	Start(ctx context.Context) error
	// Alive returns an error if it ended by itself.
	Alive() error
	// Kill ends it without any warning.
	Kill() error
	// Stop ends it in order.
	Stop() error
	// Check verifies what the stopped server has stored.
	Check(ctx context.Context) error
}

// Tempest is one storm.
type Tempest struct {
	Settings
	server  Server
	out     io.Writer
	log     *history.Log
	http    *http.Client
	devices []participant
	blowing atomic.Bool  // messages may be made
	tickets atomic.Int64 // messages that may still be made
	random  *rand.Rand   // of the killer
}

// Outcome is how a storm ended. Err is what kept it from being a storm, or the server's own failure.
type Outcome struct {
	Report *history.Report
	Events []history.Event
	Took   time.Duration
	Err    error
}

// New prepares a storm over a server that does not run yet. Progress goes to out.
func New(s Settings, server Server, out io.Writer) *Tempest {
	t := &Tempest{Settings: s, server: server, out: out, log: history.NewLog(), random: rand.New(rand.NewPCG(s.Seed, 3))}
	t.tickets.Store(int64(s.Messages))
	t.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.Clients, IdleConnTimeout: 10 * time.Second}}
	return t
}

// Run lets the storm blow, waits until it is quiet and checks everything. It is called once.
func (t *Tempest) Run(ctx context.Context) Outcome {
	began := time.Now()
	err := t.blow(ctx)
	if stopped := t.server.Stop(); stopped != nil {
		err = errors.Join(err, stopped)
	} else if err == nil {
		err = t.server.Check(ctx)
	}
	t.http.CloseIdleConnections()
	events := t.log.Events()
	return Outcome{Report: history.Check(events), Events: events, Took: time.Since(began), Err: err}
}

func (t *Tempest) blow(ctx context.Context) error {
	if err := t.server.Start(ctx); err != nil {
		return err
	}
	base := client.Config{URL: t.server.URL(), Log: t.log, HTTP: t.http, Ticket: t.ticket}
	var err error
	if t.devices, err = t.participants(base, func(openID string) (string, error) { return t.login(ctx, openID) }); err != nil {
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

// rage kills the server again and again while messages flow, and returns when all of them are answered.
func (t *Tempest) rage(ctx context.Context, join func(participant)) error {
	deaths := t.deaths()
	return t.untilErr(ctx, "every message is answered", func() (bool, error) {
		accepted := t.accepted()
		for i := range t.devices {
			if p := &t.devices[i]; p.after > 0 && accepted >= p.after {
				p.after = 0
				join(*p)
			}
		}
		if len(deaths) > 0 && accepted >= deaths[0] {
			deaths = deaths[1:]
			return false, t.kill(ctx)
		}
		return t.tickets.Load() <= 0 && len(deaths) == 0 && t.idle(), nil
	})
}

// kill kills the server, leaves it dead for a moment, and starts it again.
func (t *Tempest) kill(ctx context.Context) error {
	time.Sleep(time.Duration(t.random.Int64N(int64(20 * time.Millisecond))))
	if err := t.server.Kill(); err != nil {
		return err
	}
	t.log.Add(history.Event{Kind: history.Killed})
	time.Sleep(time.Duration(t.random.Int64N(int64(500 * time.Millisecond))))
	if err := t.server.Start(ctx); err != nil {
		return err
	}
	t.log.Add(history.Event{Kind: history.Started})
	return nil
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
		if err := t.server.Alive(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
