package tempest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/client"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	// calmFor is how long nothing may be missing before the storm is over: time for what should not come any more.
	calmFor = 2 * time.Second
	// lives is how many messages REST is asked about in the end.
	lives = 300
)

// quiet waits until nothing is missing any more, or nothing new has come for as long as Settle. What is still missing
// then is for the report to say.
func (t *Tempest) quiet(ctx context.Context) error {
	for _, p := range t.devices {
		p.device.Calm()
	}
	var whole time.Time // since when nothing is missing
	last, moved := 0, time.Now()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not become quiet: %w", ctx.Err())
		case <-time.After(calmFor / 4):
		}
		if err := t.world.Alive(); err != nil {
			return err
		}
		report := history.Check(t.log.Events())
		if !report.Pending() {
			if whole.IsZero() {
				whole = time.Now()
			}
			if time.Since(whole) >= calmFor {
				return t.readBack(ctx)
			}
			continue
		}
		whole = time.Time{}
		if n := t.news(); n != last {
			last, moved = n, time.Now()
		}
		if time.Since(moved) > t.Settle {
			return t.readBack(ctx)
		}
	}
}

// news counts what only the server can bring about.
func (t *Tempest) news() int {
	return t.log.Count(history.Shown) + t.log.Count(history.Accepted) + t.log.Count(history.Proved)
}

// readBack asks the server by REST for its own account of what happened.
func (t *Tempest) readBack(ctx context.Context) error {
	if err := t.askLives(ctx); err != nil {
		return err
	}
	read := map[string]bool{}
	for _, p := range t.devices {
		if user := p.device.Device.User; !read[user] {
			read[user] = true
			if err := p.device.ReadHistory(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// askLives asks by REST what became of some messages.
func (t *Tempest) askLives(ctx context.Context) error {
	byID := map[history.Device]*client.Device{}
	for _, p := range t.devices {
		byID[p.device.Device] = p.device
	}
	var accepted []history.Event
	for _, e := range t.log.Events() {
		if e.Kind == history.Accepted {
			accepted = append(accepted, e)
		}
	}
	r := rand.New(rand.NewPCG(t.Seed, 4))
	for range min(lives, len(accepted)) {
		e := accepted[r.IntN(len(accepted))]
		if err := byID[e.Device].Life(ctx, e.Position); err != nil {
			return err
		}
	}
	return nil
}
