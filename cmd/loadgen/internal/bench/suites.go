package bench

import (
	"context"
	"errors"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

// traffic runs a load against a server that stands and keeps the result.
func (b *bencher) traffic(ctx context.Context, suite, name string, e *endpoint, load scenario.Load) (scenario.Result, error) {
	var result scenario.Result
	note := b.note(suite + " " + name)
	err := b.unspoiled(note, func() (reasons []string, err error) {
		profiled := b.profile(ctx, suite, name, e, load)
		result, err = scenario.Run(ctx, e.target, load, note)
		err = errors.Join(err, profiled())
		return b.spoils.traffic(suite+" "+name, result, load.Rate > 0), err
	})
	if err == nil {
		b.report.Runs = append(b.report.Runs, RunRecord{Suite: suite, Server: name, Traffic: &result})
	}
	return result, err
}

// compare runs a load against both in turn, each on a fresh server.
func (b *bencher) compare(ctx context.Context, suite string, load scenario.Load) (map[string]scenario.Result, error) {
	rounds := map[string][]scenario.Result{}
	err := b.turns(b.o.rounds, func(name string) error {
		return b.with(ctx, name, func(e *endpoint) error {
			result, err := b.traffic(ctx, suite, name, e, load)
			rounds[name] = append(rounds[name], result)
			return err
		})
	})
	merged := map[string]scenario.Result{}
	for name, results := range rounds {
		if err == nil {
			merged[name] = scenario.Merge(results)
		}
	}
	return merged, err
}

func (b *bencher) pairs(ctx context.Context) error {
	results, err := b.compare(ctx, "pairs", b.o.load())
	if err != nil {
		return err
	}
	b.total("pairs", results)
	yard, ours := results[nameYardstick], results[nameYanlink]
	if yard.Delivered > 0 && ours.Delivered > 0 {
		b.report.figure("server CPU per delivered message at saturation", "× yardstick",
			ours.CPUPerMillion/yard.CPUPerMillion, atMost(1.7))
		b.report.figure("rate at saturation", "× yardstick", ours.PerSecond/yard.PerSecond, atLeast(0.65))
	}
	return nil
}

func (b *bencher) rate(ctx context.Context) error {
	load := b.o.load()
	load.Rate = b.o.rate
	orInt(&load.Rate, 2000)
	results, err := b.compare(ctx, "rate", load)
	if err != nil {
		return err
	}
	b.total("rate", results)
	if ours, ok := results[nameYanlink]; ok {
		b.report.figure("send to arrival, p50", "ms", ours.Reach.P50, atMost(1.0))
		b.report.figure("send to arrival, p99", "ms", ours.Reach.P99, atMost(2.5))
		b.report.figure("send to arrival, p99.9", "ms", ours.Reach.P999, atMost(8))
	}
	return nil
}

func (b *bencher) idle(ctx context.Context) error {
	return b.turns(b.o.rounds, func(name string) error {
		return b.with(ctx, name, func(e *endpoint) error {
			crowd, err := scenario.Idle(ctx, e.target, e.profiles, b.o.clients, nil, b.note("idle "+name))
			if err != nil {
				return err
			}
			b.report.Runs = append(b.report.Runs, RunRecord{Suite: "idle", Server: name, Crowd: &crowd})
			if name == nameYanlink {
				b.report.figure("memory of an idle connection", "KiB", crowd.PerConnection/1024, atMost(20))
			}
			return nil
		})
	})
}

func (b *bencher) storm(ctx context.Context) error {
	strangers, known := map[string][]scenario.Connects{}, map[string][]scenario.Connects{}
	err := b.turns(b.o.rounds, func(name string) error {
		return b.with(ctx, name, func(e *endpoint) error {
			first, again, err := b.connects(ctx, name, e)
			strangers[name], known[name] = append(strangers[name], first), append(known[name], again)
			return err
		})
	})
	if err != nil || len(strangers[nameYardstick]) == 0 || len(strangers[nameYanlink]) == 0 {
		return err
	}
	b.report.figure("connects a second, strangers", "× yardstick", speedup(strangers), atLeast(0.8))
	b.report.figure("connects a second, known", "× yardstick", speedup(known), atLeast(0.8))
	return nil
}

func speedup(rounds map[string][]scenario.Connects) float64 {
	yard, ours := scenario.MergeConnects(rounds[nameYardstick]), scenario.MergeConnects(rounds[nameYanlink])
	return ours.PerSecond / yard.PerSecond
}

func (b *bencher) connects(ctx context.Context, name string, e *endpoint) (strangers, known scenario.Connects, err error) {
	note := b.note("storm " + name)
	err = b.unspoiled(note, func() (reasons []string, err error) {
		strangers, known, err = scenario.Storm(ctx, e.target, b.o.clients, note)
		return b.spoils.usage("storm "+name, strangers.Usage.Add(known.Usage)), err
	})
	if err == nil {
		b.report.Runs = append(b.report.Runs,
			RunRecord{Suite: "storm, strangers", Server: name, Connects: &strangers},
			RunRecord{Suite: "storm, known", Server: name, Connects: &known})
	}
	return strangers, known, err
}
