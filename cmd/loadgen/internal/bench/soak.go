package bench

import (
	"context"
	"errors"
	"time"
)

// soakSaturation is how long the server is loaded with all that it takes, to know what half of it is.
const soakSaturation = 20 * time.Second

// soak loads a server for long with half of what it carries, and looks whether what it holds grows: memory, goroutines,
// descriptors.
func (b *bencher) soak(ctx context.Context) error {
	name := b.names[len(b.names)-1]
	return b.with(ctx, name, func(e *endpoint) error {
		if e.profiles == "" || name == nameYardstick {
			return errors.New("a soak reads what the server holds from its admin address: run it with -only yanlink, or with -admin")
		}
		load := b.o.load()
		if load.Rate = b.o.rate; load.Rate == 0 {
			all := load
			all.Duration = soakSaturation
			most, err := b.traffic(ctx, "saturation", name, e, all)
			if err != nil {
				return err
			}
			load.Rate = most.PerSecond / 2
		}
		load.Patient = true // half an hour has moments in which a disk stands still
		strict := b.spoils
		b.spoils = unspoilable // what a server holds does not depend on a message that was late
		defer func() { b.spoils = strict }()
		watch, err := watchHoldings(ctx, e.profiles, load.Duration)
		if err != nil {
			return err
		}
		result, err := b.traffic(ctx, "soak", name, e, load)
		samples, failed := watch.stop()
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		b.report.Holdings = samples
		b.report.figure("messages delivered", "", float64(result.Delivered), nil)
		b.report.figure("refused for the moment", "", float64(result.Refused), nil)
		for _, what := range held {
			b.report.figure(what.name+", last quarter", "% more than in the second", growth(samples, what.of), atMost(10))
		}
		return nil
	})
}
