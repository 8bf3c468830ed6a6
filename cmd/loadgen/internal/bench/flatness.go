package bench

import (
	"context"
	"fmt"
)

// lagAtCost is how many times later than elsewhere the generator may be where no latency is measured.
const lagAtCost = 10

// users runs the same rate with more and more users. The rate is fixed and below saturation: at saturation few users
// share writes and commits more than many do, and that would be measured instead.
func (b *bencher) users(ctx context.Context) error {
	counts := []int{100, 2000}
	if b.o.full {
		counts = []int{100, 1000, 10_000}
	}
	load := b.o.load()
	load.Rate = b.o.rate
	orInt(&load.Rate, 4000)
	// What is measured is processor time, which a late message does not change; the schedule still has to be kept.
	strict := b.spoils
	b.spoils.lag *= lagAtCost
	defer func() { b.spoils = strict }()
	cost := map[string][]float64{}
	for _, n := range counts {
		load.Users = n
		results, err := b.compare(ctx, fmt.Sprintf("%d users", n), load)
		if err != nil {
			return err
		}
		for name, r := range results {
			cost[name] = append(cost[name], r.CPUPerMillion)
		}
	}
	for _, name := range b.names {
		b.report.figure(fmt.Sprintf("CPU per message, %d to %d users, %s", counts[0], counts[len(counts)-1], name),
			"% apart", spread(cost[name]), bound(name, atMost(15)))
	}
	return nil
}

// bound is b for Yanlink; the yardstick's figure stands beside it for comparison.
func bound(name string, b *Bound) *Bound {
	if name == nameYardstick {
		return nil
	}
	return b
}

// spread is how far the largest lies above the smallest, in percent.
func spread(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	if low == 0 {
		return 0
	}
	return (high/low - 1) * 100
}

// figures runs everything that has a bound.
func (b *bencher) figures(ctx context.Context) error {
	whole := b.o
	defer func() { b.o = whole }()
	for _, suite := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"pairs", b.pairs}, {"rate", b.rate}, {"idle", b.idle}, {"storm", b.storm}, {"users", b.users}, {"ledger", b.ledger},
	} {
		if suite.name == "ledger" && whole.only == nameYardstick {
			continue
		}
		o := *whole.given
		o.suite = suite.name
		o.fillIn()
		b.o = &o
		if err := suite.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", suite.name, err)
		}
	}
	return nil
}
