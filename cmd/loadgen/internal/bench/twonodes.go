package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/services"
)

const (
	nameCluster = "cluster"
	// clusterRate is the rate of the suite's bounds, in messages a second.
	clusterRate = 1000
	// acquaint is how long a cluster warms up: each pair has written then, and what is measured founds no conversations.
	acquaint = 6 * time.Second
)

// twoNodes has the yardstick and two nodes carry the same rate, and the nodes all they can and a low one. All they can comes
// first: a broker that has just been started compiles its own program for a minute.
func (b *bencher) twoNodes(ctx context.Context) error {
	load := b.o.load()
	load.Rate = clusterRate
	var yard scenario.Result
	err := b.with(ctx, nameYardstick, func(e *endpoint) (err error) {
		yard, err = b.traffic(ctx, fmt.Sprintf("%d/s", clusterRate), nameYardstick, e, load)
		return err
	})
	if err != nil {
		return err
	}
	load.Warmup = acquaint
	return b.withCluster(ctx, services.Kind(b.o.database), 2, func(ctx context.Context, c *cluster) error {
		full := load
		full.Rate = 0
		if _, err := b.apart(ctx, c, full); err != nil {
			return err
		}
		ours, err := b.apart(ctx, c, load)
		if err != nil {
			return err
		}
		b.report.figure("two nodes, send to arrival at 1,000/s, p50", "ms", ours.Reach.P50, atMost(4))
		b.report.figure("p99", "ms", ours.Reach.P99, atMost(15))
		b.report.figure("CPU of both nodes per delivered message at 1,000/s", "× yardstick", ours.CPUPerMillion/yard.CPUPerMillion, atMost(3))
		load.Rate = clusterRate / 10
		_, err = b.apart(ctx, c, load)
		return err
	})
}

// apart runs a load whose pairs are on different nodes, and tells what each message asks of the services.
func (b *bencher) apart(ctx context.Context, c *cluster, load scenario.Load) (result scenario.Result, err error) {
	suite := "full rate"
	if load.Rate > 0 {
		suite = fmt.Sprintf("%.0f/s", load.Rate)
	}
	note := b.note("nodes " + suite)
	err = b.unspoiled(note, func() (reasons []string, err error) {
		var profiled []func() error
		for i, admin := range c.admins {
			profiled = append(profiled, b.profile(ctx, suite, c.nodes[i].Name, &endpoint{profiles: admin}, load))
		}
		result, err = scenario.RunSite(ctx, c.site(), load, note)
		for _, wait := range profiled {
			err = errors.Join(err, wait())
		}
		return b.spoils.traffic(suite+" "+nameCluster, result, load.Rate > 0), err
	})
	if err != nil {
		return result, err
	}
	b.report.Runs = append(b.report.Runs, RunRecord{Suite: suite, Server: nameCluster, Traffic: &result})
	b.report.figure("SQL statements per message, "+suite, "", result.Calls.Statements, nil)
	b.report.figure("Redis round trips per message, "+suite, "", result.Calls.Trips, nil)
	b.report.figure("MQ messages per message, "+suite, "", result.Calls.Doorbells, nil)
	return result, nil
}

func (c *cluster) site() scenario.Site {
	site := scenario.Site{Nodes: c.targets(), Calls: c.calls}
	for _, server := range c.services {
		site.Services = append(site.Services, server.PID())
	}
	return site
}
