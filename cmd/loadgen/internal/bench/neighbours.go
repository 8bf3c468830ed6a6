package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

// neighbourRate is how many connects, frames or calls a second a bad neighbour wants.
const neighbourRate = 10_000

// troubles are the bad neighbours, in their order; the first is none.
var troubles = []scenario.Trouble{
	"", scenario.TroubleConnects, scenario.TroubleReconnects, scenario.TroubleFrames, scenario.TroubleSyncs, scenario.TroubleCalls,
	scenario.TroubleHalfOpen,
}

// neighbours compares the latency of a rate that the server carries easily with the latency beside a client that misbehaves,
// from another address, on the same server.
func (b *bencher) neighbours(ctx context.Context) error {
	rounds := map[scenario.Trouble][]scenario.Result{}
	name := b.names[len(b.names)-1]
	err := b.with(ctx, name, func(e *endpoint) error {
		// A server's first seconds are its slowest, and would make a quiet value that is easily kept.
		if _, err := scenario.Run(ctx, e.target, b.steady(), b.note("warm-up")); err != nil {
			return err
		}
		for range b.o.rounds {
			for _, trouble := range troubles {
				result, err := b.beside(ctx, name, e, trouble)
				if err != nil {
					return err
				}
				rounds[trouble] = append(rounds[trouble], result)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p50 := func(r *scenario.Result) float64 { return r.Reach.P50 }
	p99 := func(r *scenario.Result) float64 { return r.Reach.P99 }
	quiet := rounds[""]
	b.report.figure("quiet, send to arrival, p50", "ms", middle(quiet, p50), nil)
	b.report.figure("p99", "ms", middle(quiet, p99), nil)
	for _, trouble := range troubles[1:] {
		beside := rounds[trouble]
		b.report.figure("beside "+string(trouble)+", p50", "ms", middle(beside, p50), nil)
		b.report.figure("p99", "ms", middle(beside, p99), nil)
		times := make([]float64, len(beside))
		for i := range beside {
			times[i] = p99(&beside[i]) / p99(&quiet[i])
		}
		b.report.figure("p99", "× quiet in the same round", middle(times, func(t *float64) float64 { return *t }), atMost(2))
	}
	return nil
}

// middle is the median of what items say; of an even number, the greater of the two in the middle.
func middle[T any](items []T, of func(*T) float64) float64 {
	values := make([]float64, len(items))
	for i := range items {
		values[i] = of(&items[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// steady is the traffic of the others.
func (b *bencher) steady() scenario.Load {
	load := b.o.load()
	load.Rate = b.o.rate
	return load
}

// beside measures the traffic beside one bad neighbour, which begins before the others have connected.
func (b *bencher) beside(ctx context.Context, name string, e *endpoint, trouble scenario.Trouble) (result scenario.Result, err error) {
	load := b.steady()
	suite := "quiet"
	if trouble != "" {
		suite = "beside " + string(trouble)
	}
	note := b.note(suite)
	spoils := b.spoils
	if trouble != "" {
		spoils.lag *= lagAtCost // a neighbour makes the generator late too; latency counts that, so that it can only be too high
	}
	var did *scenario.Neighbour
	err = b.unspoiled(note, func() (reasons []string, err error) {
		result, did, err = b.together(ctx, name, e, trouble, load, note)
		if did != nil {
			note.Step("%.0f %s a second, answered with %s", did.PerSecond, trouble, answers(did))
		}
		return spoils.traffic(suite, result, true), err
	})
	if err == nil {
		b.report.Runs = append(b.report.Runs, RunRecord{Suite: suite, Server: name, Traffic: &result, Neighbour: did})
	}
	if err == nil && trouble == scenario.TroubleConnects { // who waits for nobody is not slowed down, but by its own machine
		b.report.figure("connects a second that were begun", "", did.PerSecond, atLeast(neighbourRate*9/10))
	}
	return result, err
}

// together runs the traffic once, with its neighbour if there is any.
func (b *bencher) together(
	ctx context.Context, name string, e *endpoint, trouble scenario.Trouble, load scenario.Load, note *scenario.Progress,
) (scenario.Result, *scenario.Neighbour, error) {
	site := scenario.Site{Nodes: []scenario.Target{e.target}}
	profiled := b.profile(ctx, "neighbours "+string(trouble), name, e, load)
	if trouble == "" {
		result, err := scenario.RunSite(ctx, site, load, note)
		return result, nil, errors.Join(err, profiled())
	}
	bad, err := disturb(ctx, e.target, trouble, neighbourRate)
	if err != nil {
		return scenario.Result{}, nil, errors.Join(err, profiled())
	}
	site.Services = []int{bad.cmd.Process.Pid}
	result, err := scenario.RunSite(ctx, site, load, note)
	did, failed := bad.stop()
	return result, &did, errors.Join(err, failed, profiled())
}

// answers are what a neighbour got, in words.
func answers(did *scenario.Neighbour) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(did.Answers)) {
		all = append(all, fmt.Sprintf("%s: %d", what, did.Answers[what]))
	}
	return strings.Join(all, ", ")
}
