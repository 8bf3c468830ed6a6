package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

// pause lets a server notice that a crowd has left before the next one comes.
const pause = time.Second

// Connects is what a storm of connects came to.
type Connects struct {
	Clients int             `json:"clients"`
	Usage   measure.Usage   `json:"usage"`
	Took    measure.Summary `json:"took"` // from the dial to the server's hello

	PerSecond      float64 `json:"per_second"`         // clients that got their hello
	CPUPerThousand float64 `json:"cpu_s_per_thousand"` // what a thousand of them cost the server

	took *measure.Latency
}

func (c *Connects) summarize() {
	c.PerSecond = ratio(float64(c.Clients), c.Usage.Wall.Seconds())
	c.CPUPerThousand = ratio(c.Usage.Server.Seconds()*1e3, float64(c.Clients))
	c.Took = c.took.Summary()
}

// MergeConnects returns several storms as one.
func MergeConnects(rounds []Connects) Connects {
	sum := Connects{took: measure.NewLatency()}
	for _, c := range rounds {
		sum.Clients += c.Clients
		sum.Usage = sum.Usage.Add(c.Usage)
		sum.took.Merge(c.took)
	}
	sum.summarize()
	return sum
}

// Storm connects n clients as fast as the server takes them, tokens at hand, twice: as strangers, whose tokens the server
// has to have checked, and again after all of them have left.
func Storm(ctx context.Context, target Target, n int, note *Progress) (strangers, known Connects, err error) {
	if n < 1 {
		return strangers, known, fmt.Errorf("clients: %d; at least 1", n)
	}
	tokens, err := Login(ctx, target, n)
	if err != nil {
		return strangers, known, err
	}
	if strangers, err = storm(ctx, target, tokens); err != nil {
		return strangers, known, err
	}
	note.Step("%d strangers, %.0f/s", n, strangers.PerSecond)
	if err = sleep(ctx, pause); err != nil {
		return strangers, known, err
	}
	known, err = storm(ctx, target, tokens)
	note.Step("%d known, %.0f/s", n, known.PerSecond)
	return strangers, known, err
}

func storm(ctx context.Context, target Target, tokens []string) (Connects, error) {
	c := Connects{Clients: len(tokens), took: measure.NewLatency()}
	meter, err := measure.NewMeter(target.processes(), nil)
	if err != nil {
		return c, err
	}
	conns, err := connect(ctx, target, tokens, c.took)
	defer leave(conns)
	if err != nil {
		return c, err
	}
	c.Usage, err = meter.Usage()
	c.summarize()
	return c, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
