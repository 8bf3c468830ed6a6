package world

import (
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
)

const (
	nodeDeadAtMost = 1500 * time.Millisecond
	// freezeEvery is how many nodes are killed for one that is frozen.
	freezeEvery = 8
	frozenFor   = 4 * time.Second
	// serviceDead is how long a service is gone: long enough that every node finds out.
	serviceDead = 4 * time.Second
)

// nodeSeries kills one node after the other, whichever it is, and freezes one now and then.
func (c *Cluster) nodeSeries(r *rand.Rand) (series fault.Series) {
	for i := range c.opt.Kills {
		n := r.IntN(len(c.nodes))
		strike := fault.One(fault.KillNode(n+1, c.nodes[n]), time.Duration(r.Int64N(int64(nodeDeadAtMost))))
		if i%freezeEvery == freezeEvery-1 {
			strike = fault.One(fault.FreezeNode(n+1, c.nodes[n]), frozenFor)
		}
		series = append(series, strike)
	}
	return series
}

// serviceSeries strikes at the services: first each of them, then pairs, then each again with a freeze. A short series is
// the beginning of a long one.
func (c *Cluster) serviceSeries(r *rand.Rand) (series fault.Series) {
	all := c.serviceStrikes()
	for i := range c.opt.Outages {
		series = append(series, all[i%len(all)])
	}
	r.Shuffle(len(series), func(i, j int) { series[i], series[j] = series[j], series[i] })
	return series
}

func (c *Cluster) serviceStrikes() []fault.Strike {
	b := c.backends
	flush := fault.Flush("Redis", b.FlushRedis)
	sql, redis := fault.KillServer("the SQL server", b.SQL).OfLedger(), fault.KillServer("Redis", b.Redis)
	namesrv, broker := fault.KillServer("the name server", b.Namesrv), fault.KillServer("the broker", b.Broker)
	one := func(f fault.Fault) fault.Strike { return fault.One(f, serviceDead) }
	pair := func(x, y fault.Fault) fault.Strike { return fault.Pair(x, y, serviceDead) }
	return []fault.Strike{
		one(broker), one(namesrv), one(redis), one(flush), one(sql), // each
		pair(redis, broker), pair(sql, redis), pair(namesrv, broker), pair(sql, broker), pair(flush, broker), pair(sql, namesrv),
		one(fault.FreezeServer("the SQL server", b.SQL).OfLedger()), one(fault.FreezeServer("Redis", b.Redis)),
		one(fault.FreezeServer("the broker", b.Broker)), one(fault.FreezeServer("the name server", b.Namesrv)),
	}
}
