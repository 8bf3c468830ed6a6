package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

// emptyFor is how long a ledger counts as empty at most: later it is compacted, as a large one is.
const emptyFor = 20 * time.Second

// ledger compares a message's cost on an empty ledger with its cost after many, in turn, so that a machine that is faster for a
// minute is so for both.
func (b *bencher) ledger(ctx context.Context) error {
	return b.with(ctx, nameYanlink, func(e *endpoint) error {
		if err := b.filled(ctx, nameYanlink, e); err != nil {
			return err
		}
		large := &large{endpoint: e}
		var empty []scenario.Result
		turns := []func() error{
			func() (err error) { empty, err = b.empty(ctx, empty); return err },
			func() error { return large.run(ctx, b) },
		}
		for range b.o.rounds {
			for _, turn := range turns {
				if err := turn(); err != nil {
					return err
				}
			}
			slices.Reverse(turns)
		}
		b.report.figure(fmt.Sprintf("CPU per message after %d messages", b.o.fill), "% more than empty",
			(large.cost()/scenario.Merge(empty).CPUPerMillion-1)*100, atMost(15))
		return nil
	})
}

// empty adds a run on a fresh server and an empty ledger.
func (b *bencher) empty(ctx context.Context, runs []scenario.Result) ([]scenario.Result, error) {
	e, err := b.startEmpty(ctx)
	if err != nil {
		return nil, err
	}
	load := b.o.load()
	load.Duration = min(load.Duration, emptyFor)
	run, err := b.traffic(ctx, "ledger, empty", nameYanlink, e, load)
	return append(runs, run), errors.Join(err, e.stop())
}

// large is a server whose ledger is large. What it does while it waits for its next turn is compaction that its last one has left
// to be done, and counts.
type large struct {
	*endpoint
	runs    []scenario.Result
	at      time.Duration // its processor time when its last turn ended; 0: it had none
	between time.Duration
}

func (l *large) run(ctx context.Context, b *bencher) error {
	now, err := measure.CPU(l.target.PID)
	if err != nil {
		return err
	}
	if l.at > 0 {
		l.between += now - l.at
	}
	run, err := b.traffic(ctx, "ledger, filled", nameYanlink, l.endpoint, b.o.load())
	if err != nil {
		return err
	}
	l.runs = append(l.runs, run)
	l.at, err = measure.CPU(l.target.PID)
	return err
}

// cost is what a million messages cost it, in seconds.
func (l *large) cost() float64 {
	all := scenario.Merge(l.runs)
	return all.CPUPerMillion * (1 + l.between.Seconds()/all.Usage.Server.Seconds())
}

// filled sends Fill messages and gives the server time to settle.
func (b *bencher) filled(ctx context.Context, name string, e *endpoint) error {
	load := b.o.load()
	load.Warmup, load.Max = 0, b.o.fill
	load.Duration = time.Minute + time.Duration(b.o.fill)*time.Millisecond
	result, err := scenario.Run(ctx, e.target, load, b.note("fill "+name))
	if err != nil {
		return err
	}
	b.report.Runs = append(b.report.Runs, RunRecord{Suite: "fill", Server: name, Traffic: &result})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.o.rest):
		return nil
	}
}

// fillUp fills a ledger and leaves it at that.
func (b *bencher) fillUp(ctx context.Context) error {
	name := b.names[len(b.names)-1]
	return b.with(ctx, name, func(e *endpoint) error { return b.filled(ctx, name, e) })
}
