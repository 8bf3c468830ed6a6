package tempest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// jitter is how long after its moment a strike comes at most: commits take milliseconds, and all parts of one are to be hit.
const jitter = 20 * time.Millisecond

// strike goes through a series while messages flow. It returns when all of it is mended.
func (t *Tempest) strike(ctx context.Context, series fault.Series, r *rand.Rand) error {
	moments := fault.Spread(r, len(series), t.Messages)
	for i, strike := range series {
		wait := time.Duration(r.Int64N(int64(jitter)))
		for t.accepted() < moments[i] {
			if pause(ctx, lookEvery) != nil {
				return ctx.Err()
			}
		}
		if err := errors.Join(pause(ctx, wait), t.blowOne(ctx, strike)); err != nil {
			return err
		}
	}
	return nil
}

// blowOne lets one strike happen. What has gone wrong is mended even if ctx ends.
func (t *Tempest) blowOne(ctx context.Context, s fault.Strike) error {
	t.note(history.Struck, s.Faults)
	var errs []error
	for _, f := range s.Faults {
		errs = append(errs, f.Strike(ctx))
	}
	t.note(history.Down, s.Faults)
	errs = append(errs, pause(ctx, s.Lasts))
	for _, f := range s.Faults {
		t.note(history.Mending, []fault.Fault{f})
		errs = append(errs, f.Mend(ctx))
		t.note(history.Mended, []fault.Fault{f})
	}
	return errors.Join(errs...)
}

func (t *Tempest) note(kind history.Kind, faults []fault.Fault) {
	for _, f := range faults {
		t.under.note(kind, f.Name)
		t.log.Add(history.Event{Kind: kind, Note: f.Name, Node: f.Node, Ledger: f.Ledger})
	}
}

// pause waits, or returns the error of ctx when that ends first.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
