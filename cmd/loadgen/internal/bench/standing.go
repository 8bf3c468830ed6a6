package bench

import (
	"context"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/services"
)

// standing counts what one node, to which everybody is connected and says nothing, asks of each database.
func (b *bencher) standing(ctx context.Context) error {
	for _, database := range []services.Kind{services.MariaDB, services.Postgres} {
		err := b.withCluster(ctx, database, 1, func(ctx context.Context, c *cluster) error {
			count := func(ctx context.Context) error { return b.countStatements(ctx, c) }
			target := c.targets()[0]
			_, err := scenario.Idle(ctx, target, c.admins[0], b.o.clients, count, b.note("standing "+string(database)))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bencher) countStatements(ctx context.Context, c *cluster) error {
	before, err := c.calls(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	select {
	case <-time.After(b.o.duration):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := c.calls(ctx)
	if err != nil {
		return err
	}
	perSecond := (after.Statements - before.Statements) / time.Since(began).Seconds()
	b.report.figure("statements a second that a node with idle connections costs "+string(c.database), "", perSecond, atMost(5))
	return nil
}
