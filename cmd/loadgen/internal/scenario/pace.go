package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

const (
	// finest is the shortest period of the pacer's timer; above that rate several messages leave at one tick.
	finest = 100 * time.Microsecond
	// canary is the period at which a closed loop looks how late it wakes.
	canary = 5 * time.Millisecond
	// behind is how far a schedule may fall behind before the run is given up.
	behind = 2 * time.Second
)

// ErrBehind says that the generator could not keep its own schedule.
var ErrBehind = errors.New("the schedule has fallen behind: this machine cannot send at that rate beside the server")

// pace sends an open loop's messages at their times; beside a closed loop it only watches the generator's own lag.
func (t *traffic) pace(ctx context.Context) error {
	period := canary
	if t.load.Rate > 0 {
		period = max(finest, t.interval())
	}
	ticker, err := measure.NewTicker(period)
	if err != nil {
		return err
	}
	defer ticker.Stop()
	if t.load.Rate > 0 {
		return t.schedule(ctx, ticker)
	}
	return t.watch(ctx, ticker)
}

func (t *traffic) interval() time.Duration {
	return time.Duration(float64(time.Second) / t.load.Rate)
}

// schedule sends message i at start + i intervals, whatever has become of the ones before.
func (t *traffic) schedule(ctx context.Context, ticker *measure.Ticker) error {
	senders := t.senders()
	start, step := float64(t.now()), 1e6/t.load.Rate
	for i := 1; ctx.Err() == nil && !t.stopping.Load(); {
		if err := ticker.Wait(); err != nil {
			return fmt.Errorf("wait for the schedule: %w", err)
		}
		for ; ; i++ {
			at := int64(start + float64(i)*step)
			late := t.now() - at
			if late < 0 {
				break
			}
			if err := t.sendAt(senders[i%len(senders)], at); err != nil {
				return err
			}
			if t.stopping.Load() {
				return nil
			}
		}
	}
	return nil
}

// sendAt sends one message of the schedule.
func (t *traffic) sendAt(c *client, at int64) error {
	if !t.more() {
		return nil
	}
	if err := c.send(at); err != nil {
		return err
	}
	if err := c.conn.Flush(); err != nil {
		if c.hungUp.Load() {
			return nil
		}
		return fmt.Errorf("send: %w", err)
	}
	return t.fell(at)
}

// fell takes down how late a message left that was to leave at that time.
func (t *traffic) fell(at int64) error {
	late := time.Duration(t.now()-at) * time.Microsecond
	if t.measured(at) {
		t.lag.Record(late)
	}
	if late > behind && !t.load.Patient {
		return ErrBehind
	}
	return nil
}

func (t *traffic) watch(ctx context.Context, ticker *measure.Ticker) error {
	for due := time.Now().Add(canary); ctx.Err() == nil; due = due.Add(canary) {
		if err := ticker.Wait(); err != nil {
			return fmt.Errorf("watch the generator's lag: %w", err)
		}
		late := time.Since(due)
		if t.measured(t.now()) {
			t.lag.Record(late)
		}
		// Missed ticks come as one, so the count begins again from there.
		due = due.Add(late.Truncate(canary))
	}
	return nil
}
