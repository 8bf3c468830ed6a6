package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

const (
	// finest is the shortest interval that is waited for; where a schedule has shorter ones, several messages leave at once.
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
	timer, err := measure.NewTimer()
	if err != nil {
		return err
	}
	defer timer.Stop()
	if t.load.Rate > 0 {
		return t.schedule(ctx, timer)
	}
	return t.watch(ctx, timer)
}

func (t *traffic) interval() time.Duration {
	return time.Duration(float64(time.Second) / t.load.Rate)
}

// schedule sends message i at start + i intervals, whatever has become of the ones before.
func (t *traffic) schedule(ctx context.Context, timer *measure.Timer) error {
	senders := t.senders()
	start, step := float64(t.now()), 1e6/t.load.Rate
	for i := 1; ctx.Err() == nil && !t.stopping.Load(); i++ {
		at := int64(start + float64(i)*step)
		wait := time.Duration(at-t.now()) * time.Microsecond
		if wait > 0 && t.interval() < finest {
			wait = finest
		}
		if err := timer.Wait(wait); err != nil {
			return fmt.Errorf("wait for the schedule: %w", err)
		}
		if err := t.sendAt(senders[i%len(senders)], at); err != nil {
			return err
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

// watch looks how late it wakes.
func (t *traffic) watch(ctx context.Context, timer *measure.Timer) error {
	for ctx.Err() == nil {
		due := time.Now().Add(canary)
		if err := timer.Wait(canary); err != nil {
			return fmt.Errorf("watch the generator's lag: %w", err)
		}
		if t.measured(t.now()) {
			t.lag.Record(time.Since(due))
		}
	}
	return nil
}
