package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/services"
)

// errUnmet says that the figures were taken and a bound is not met.
var errUnmet = errors.New("a bound is not met")

// bencher runs suites and gathers what they came to.
type bencher struct {
	o     *options
	names []string // the contenders
	start func(ctx context.Context, name string) (*endpoint, error)
	// startEmpty starts Yanlink on an empty ledger; nil of run.
	startEmpty func(ctx context.Context) (*endpoint, error)
	// cluster starts several servers that stand together; nil of run.
	cluster func(ctx context.Context, database services.Kind, nodes int, progress io.Writer) (*cluster, error)
	stderr  io.Writer
	spoils  spoils
	report  Report
}

func newBencher(o *options, stderr io.Writer) *bencher {
	return &bencher{
		o: o, stderr: stderr, spoils: spoils{o.maxLag, o.maxOwn, o.maxForeign}, report: newReport(o),
	}
}

// benchmark is the command bench.
func benchmark(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return complain(stderr, err)
	}
	b := newBencher(o, stderr)
	l, err := newLauncher(ctx, o, b.note("loadgen"))
	if err != nil {
		return exit(stderr, err)
	}
	b.start, b.startEmpty, b.cluster, b.names = l.start, l.startEmpty, l.cluster, []string{nameYardstick, nameYanlink}
	if o.only != "" {
		b.names = []string{o.only}
	}
	err = b.run(ctx)
	return b.finish(stdout, errors.Join(err, l.Close()))
}

// single is the command run.
func single(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err == nil {
		err = o.forRun()
	}
	if err != nil {
		return complain(stderr, err)
	}
	b := newBencher(o, stderr)
	b.names = []string{o.target}
	b.start = func(context.Context, string) (*endpoint, error) {
		target := scenario.Target{Addr: o.target, PID: o.pid}
		return &endpoint{target, o.admin, func() error { return nil }}, nil
	}
	return b.finish(stdout, b.run(ctx))
}

func complain(stderr io.Writer, err error) int {
	if code := usageCode(err); code == exitOK {
		return code
	}
	_, _ = fmt.Fprintln(stderr, "loadgen:", err)
	return exitUsage
}

// finish reports, unless the run came to nothing.
func (b *bencher) finish(stdout io.Writer, err error) int {
	if err == nil {
		err = b.report.write(stdout, b.o.json)
	}
	if err == nil && slices.Contains([]string{"figures", "neighbours", "soak"}, b.o.suite) && b.report.unmet() {
		err = errUnmet
	}
	return exit(b.stderr, err)
}

func (b *bencher) run(ctx context.Context) error {
	defer b.report.ended()
	switch b.o.suite {
	case "pairs":
		return b.pairs(ctx)
	case "rate":
		return b.rate(ctx)
	case "idle":
		return b.idle(ctx)
	case "storm":
		return b.storm(ctx)
	case "users":
		return b.users(ctx)
	case "ledger":
		return b.ledger(ctx)
	case "fill":
		return b.fillUp(ctx)
	case "failover":
		return b.withCluster(ctx, services.Kind(b.o.database), 3, b.failover)
	case "restart":
		return b.withCluster(ctx, services.Kind(b.o.database), 3, b.rollingRestart)
	case "nodes":
		return b.twoNodes(ctx)
	case "standing":
		return b.standing(ctx)
	case "neighbours":
		return b.neighbours(ctx)
	case "soak":
		return b.soak(ctx)
	default:
		return b.figures(ctx)
	}
}

func (b *bencher) note(label string) *scenario.Progress {
	if b.o.quiet {
		return nil
	}
	return scenario.NewProgress(b.stderr, label)
}

// with runs work against a fresh server.
func (b *bencher) with(ctx context.Context, name string, work func(*endpoint) error) error {
	e, err := b.start(ctx, name)
	if err != nil {
		return err
	}
	return errors.Join(work(e), e.stop())
}

// turns has each contender work in each round, the order changing from round to round.
func (b *bencher) turns(rounds int, work func(name string) error) error {
	names := slices.Clone(b.names)
	for range rounds {
		for _, name := range names {
			if err := work(name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		slices.Reverse(names)
	}
	return nil
}

// unspoiled runs work until its reasons are empty, as often as the options allow; then it is an error, unless spoiled runs are
// wanted too.
func (b *bencher) unspoiled(note *scenario.Progress, work func() (reasons []string, err error)) error {
	for attempt := 0; ; attempt++ {
		reasons, err := work()
		switch {
		case err != nil:
			return err
		case len(reasons) == 0:
			return nil
		case b.o.allowLag:
			b.report.Spoiled = append(b.report.Spoiled, reasons...)
			return nil
		case attempt >= b.o.retries:
			return &SpoiledError{reasons}
		}
		note.Step("spoiled, once more: %s", reasons[0])
	}
}
