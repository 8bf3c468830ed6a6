package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

// look is how often a run looks whether it has come to its end.
const look = 20 * time.Millisecond

// timeline goes through warm-up, the measured part, and the drain in which everything under way comes home.
func (t *traffic) timeline(ctx context.Context, site Site, note *Progress) (Result, error) {
	if err := t.wait(ctx, t.load.Warmup, note, "warm-up"); err != nil {
		return Result{}, err
	}
	meter, err := measure.NewMeter(site.processes(), site.Services)
	if err != nil {
		return Result{}, err
	}
	calls, err := site.calls(ctx)
	if err != nil {
		return Result{}, err
	}
	before := int64(0) // without a warm-up, the first messages count although they are under way already
	if t.load.Warmup > 0 {
		before = t.delivered.Load()
	}
	t.from.CompareAndSwap(0, t.now())
	if err := t.wait(ctx, t.load.Duration, note, ""); err != nil {
		return Result{}, err
	}
	t.until.Store(t.now())
	count := t.delivered.Load() - before
	usage, err := meter.Usage()
	if err != nil {
		return Result{}, err
	}
	after, err := site.calls(ctx)
	if err != nil {
		return Result{}, err
	}
	memory, err := site.memory()
	if err != nil {
		return Result{}, err
	}
	t.stopping.Store(true)
	if err := t.drain(ctx); err != nil {
		return Result{}, err
	}
	result := t.result(count, usage, memory)
	result.Calls = after.since(calls, count)
	return result, nil
}

// wait lets the run go on for that long, or until Max has been delivered.
func (t *traffic) wait(ctx context.Context, d time.Duration, note *Progress, phase string) error {
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	last, moved, end := int64(-1), time.Now(), time.Now().Add(d)
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
		n := t.delivered.Load()
		if t.load.Max > 0 && n >= t.load.Max {
			return nil
		}
		if n != last || t.underway() == 0 {
			last, moved = n, time.Now()
		}
		if time.Since(moved) > patience {
			return t.stalled()
		}
		note.traffic(t, phase)
	}
	return nil
}

func (t *traffic) drain(ctx context.Context) error {
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	end := time.Now().Add(patience)
	for t.underway() > 0 || t.acked.Load() < t.delivered.Load() {
		if time.Now().After(end) {
			return t.stalled()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
	}
	return nil
}

func (t *traffic) stalled() error {
	return fmt.Errorf("for %v nothing came back: sent %d, accepted %d, pushed %d, acknowledged %d, delivered %d",
		patience, t.sent.Load(), t.accepted.Load(), t.pushed.Load(), t.acked.Load(), t.delivered.Load())
}
