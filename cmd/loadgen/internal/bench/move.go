package bench

import (
	"context"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

func (b *bencher) failover(ctx context.Context, c *cluster) error {
	moved, err := scenario.Failover(ctx, c.targets(), b.o.clients, c.nodes[0].Kill, b.note("failover"))
	if err != nil {
		return err
	}
	b.moved("failover", moved)
	b.report.figure("a node was killed: its last client is back and has everything", "s", moved.Last.Seconds(), atMost(10))
	b.report.figure(refusals, "", float64(moved.Refused), nil)
	b.report.figure(repeated, "", float64(moved.Repeated), atMost(0))
	return nil
}

func (b *bencher) rollingRestart(ctx context.Context, c *cluster) error {
	restart := func(i int) error { return c.restart(ctx, i) }
	moved, err := scenario.RollingRestart(ctx, c.targets(), b.o.clients, restart, b.note("restart"))
	if err != nil {
		return err
	}
	b.moved("restart", moved)
	b.report.figure("every node was restarted: connections that ended in another way than 1012"+reason(moved.BrokenBy), "", float64(moved.Broken), atMost(0))
	b.report.figure(refusals, "", float64(moved.Refused), atMost(0))
	b.report.figure("from the end of a connection to the next hello, p99", "ms", moved.Away.P99, nil)
	b.report.figure("connections moved", "", float64(moved.Drained), nil)
	b.report.figure(repeated, "", float64(moved.Repeated), atMost(0))
	return nil
}

const (
	refusals = "connects that failed"
	repeated = "messages pushed again that were proven"
)

func (b *bencher) moved(suite string, moved scenario.Moved) {
	b.report.Runs = append(b.report.Runs, RunRecord{Suite: suite, Server: "cluster", Moved: &moved})
}

func reason(by string) string {
	if by == "" {
		return ""
	}
	return " (the first: " + by + ")"
}
