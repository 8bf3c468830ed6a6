//go:build services

package bench

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/services"
)

// All on a cluster that is real, with few clients: a drain breaks nothing, nobody misses anything, and services are asked.
func TestBencher_Cluster(t *testing.T) {
	t.Setenv("YANLINK_DRAIN_DELAY", "100ms") // of the nodes
	t.Setenv("YANLINK_DRAIN_SPREAD", "1s")
	o, err := parse([]string{"-clients", "60"}, io.Discard)
	require.NoError(t, err)
	o.allowLag = true
	b := newBencher(o, t.Output())
	l, err := newLauncher(t.Context(), o, b.note("loadgen"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	b.cluster = l.cluster

	require.NoError(t, b.withCluster(t.Context(), services.MariaDB, 3, func(ctx context.Context, c *cluster) error {
		_, err := b.apart(ctx, c, scenario.Load{Users: 20, Body: 128, Rate: 100, Warmup: time.Second, Duration: 2 * time.Second})
		return errors.Join(b.rollingRestart(ctx, c), b.failover(ctx, c), err)
	}))
	require.Len(t, b.report.Runs, 3)
	apart := b.report.Runs[0].Traffic
	require.Positive(t, apart.Delivered)
	for _, calls := range []float64{apart.Calls.Statements, apart.Calls.Trips, apart.Calls.Doorbells} {
		require.Positive(t, calls, "%+v", *apart.Calls)
	}
	require.Positive(t, apart.Usage.Services)
	restart, failover := b.report.Runs[1].Moved, b.report.Runs[2].Moved
	require.Zero(t, restart.Broken, restart.BrokenBy)
	require.Zero(t, restart.Refused)
	require.GreaterOrEqual(t, restart.Drained, int64(60), "each node had some of them")
	require.EqualValues(t, 60, failover.Broken, "their node was killed")
	require.Zero(t, restart.Repeated+failover.Repeated)
}
