package redisregistry

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// lifetime is how long keys last that nobody renews. It bounds what a cluster that was shut off for good leaves
	// behind; as long as one node lives, the dead are reaped long before.
	lifetime = 24 * time.Hour

	// renewAtOnce routes are renewed by each beat: with a beat every two seconds, four million of a node in a lifetime.
	renewAtOnce = 100
)

// renew makes the next few of this node's routes last, on its way around the index: a session's route is put once, and
// the session may outlive any lifetime. What it finds on the way tells whether routes were lost although the node is
// known: of a Redis Cluster, one shard may have been emptied. connections are those that the node has.
func (r *Registry) renew(ctx context.Context, connections int) (lost bool) {
	index, from := indexKey(r.opt.Address), r.renewed.Load()
	suspects := r.suspects.Swap(nil)
	pipe := r.client.Pipeline()
	scan := pipe.SScan(ctx, index, from, "", renewAtOnce)
	pipe.PExpire(ctx, index, lifetime)
	var indexed []*redis.BoolCmd
	if suspects != nil {
		for _, session := range *suspects {
			indexed = append(indexed, pipe.SIsMember(ctx, index, session))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return false // the next beat goes on here
	}
	sessions, next := scan.Val()
	r.renewed.Store(next)
	if len(sessions) == 0 {
		return from == 0 && next == 0 && connections > 0
	}
	missing := r.missing(ctx, sessions)
	r.suspects.Store(&missing)
	var again []string
	for i, reply := range indexed {
		if reply.Val() {
			again = append(again, (*suspects)[i])
		}
	}
	return len(missing)*2 > len(sessions) || len(r.missing(ctx, again)) > 0
}

// missing makes the routes of sessions last and returns those that have none. A few are just ending: they are not in the index any
// more when they are looked for once more.
func (r *Registry) missing(ctx context.Context, sessions []string) (found []string) {
	if len(sessions) == 0 {
		return nil
	}
	pipe := r.client.Pipeline()
	renewed := make([]*redis.BoolCmd, len(sessions))
	for i, session := range sessions {
		renewed[i] = pipe.PExpire(ctx, clientKey(userOf(session, r.opt.Address)), lifetime)
	}
	_, _ = pipe.Exec(ctx) // every reply has its error
	for i, reply := range renewed {
		if there, err := reply.Result(); err == nil && !there {
			found = append(found, sessions[i])
		}
	}
	return found
}
