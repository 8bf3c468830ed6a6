package redisregistry

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/yanlink/yanlink/ws"
)

// Put implements ws.Routes, in three round trips. Sessions stand in the node's index before their routes are recorded, so that
// whoever reaps a node that was killed between finds them, and are put there again after that: whoever reaps a former life of this
// node takes out those that have no route yet.
func (r *Registry) Put(ctx context.Context, routes []ws.Route) (displaced []ws.Route, err error) {
	if err := r.usable(ctx); err != nil || len(routes) == 0 {
		return nil, err
	}
	if err := r.index(ctx, sessionsOf(routes)); err != nil {
		return nil, r.failed(err, "record %d routes", len(routes))
	}
	joined, users := r.joined.Load(), byUser(routes)
	calls := make([]*call, len(users))
	for i, own := range users {
		calls[i] = &call{key: clientKey(own[0].User), args: []any{lifetime.Milliseconds()}}
		for _, route := range own {
			calls[i].args = append(calls[i].args, route.SessionID, encodeRoute(&route, joined))
		}
	}
	err = r.run(ctx, putScript, calls)
	for i, own := range users {
		displaced = append(displaced, ends(calls[i].reply, own[0].User)...)
	}
	if err == nil {
		err = r.index(ctx, sessionsOf(recorded(routes, displaced)))
	}
	return displaced, r.failed(err, "record %d routes", len(routes))
}

// byUser returns routes by user, each user's in their order.
func byUser(routes []ws.Route) (users [][]ws.Route) {
	place := make(map[string]int, len(routes))
	for _, route := range routes {
		i, ok := place[route.User]
		if !ok {
			i = len(users)
			place[route.User] = i
			users = append(users, nil)
		}
		users[i] = append(users[i], route)
	}
	return users
}

// ends returns the routes of a user that a reply to put says have to end.
func ends(reply *redis.Cmd, user string) (routes []ws.Route) {
	list, err := reply.StringSlice()
	if err != nil {
		return nil
	}
	for pair := range slices.Chunk(list, 2) {
		if route, ok := decodeRoute(user, pair[0], pair[1]); ok {
			routes = append(routes, route)
		}
	}
	return routes
}

// recorded returns the routes that stand in the registry now. The session of another one is taken out of the index when it is
// removed, which follows.
func recorded(routes, displaced []ws.Route) (stand []ws.Route) {
	ended := make(map[string]bool, len(displaced))
	for _, route := range displaced {
		ended[route.SessionID] = true
	}
	return slices.DeleteFunc(slices.Clone(routes), func(route ws.Route) bool { return ended[route.SessionID] })
}

func sessionsOf(routes []ws.Route) []any {
	sessions := make([]any, len(routes))
	for i := range routes {
		sessions[i] = routes[i].SessionID
	}
	return sessions
}

// index adds sessions to this node's index.
func (r *Registry) index(ctx context.Context, sessions []any) error {
	if len(sessions) == 0 {
		return nil
	}
	return r.client.SAdd(ctx, indexKey(r.opt.Address), sessions...).Err()
}

// Remove implements ws.Routes, in two round trips.
func (r *Registry) Remove(ctx context.Context, routes []ws.Route) error {
	if err := r.usable(ctx); err != nil || len(routes) == 0 {
		return err
	}
	users := byUser(routes)
	calls := make([]*call, len(users))
	for i, own := range users {
		calls[i] = &call{key: clientKey(own[0].User)}
		for _, route := range own {
			calls[i].args = append(calls[i].args, route.SessionID, route.Incarnation, route.Epoch)
		}
	}
	err := r.run(ctx, removeScript, calls)
	if err == nil {
		err = r.unindex(ctx, r.opt.Address, absent(users, calls))
	}
	return r.failed(err, "remove %d routes", len(routes))
}

// absent returns the sessions of which nothing is recorded after remove.
func absent(users [][]ws.Route, calls []*call) (sessions []any) {
	for i, own := range users {
		states, err := calls[i].reply.BoolSlice()
		if err != nil {
			continue
		}
		for n, absent := range states {
			if absent {
				sessions = append(sessions, own[n].SessionID)
			}
		}
	}
	return sessions
}

// unindex takes sessions out of a node's index.
func (r *Registry) unindex(ctx context.Context, address string, sessions []any) error {
	if len(sessions) == 0 {
		return nil
	}
	return r.client.SRem(ctx, indexKey(address), sessions...).Err()
}

// Locate implements ws.Routes, in one round trip.
func (r *Registry) Locate(ctx context.Context, users []string) (routes []ws.Route, err error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	replies := make([]*redis.MapStringStringCmd, 0, min(len(users), atOnce))
	for some := range slices.Chunk(users, atOnce) {
		pipe := r.client.Pipeline()
		replies = replies[:0]
		for _, user := range some {
			replies = append(replies, pipe.HGetAll(ctx, clientKey(user)))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, r.failed(err, "look for %d users", len(users))
		}
		for i, reply := range replies {
			for session, value := range reply.Val() {
				if route, ok := decodeRoute(some[i], session, value); ok {
					routes = append(routes, route)
				}
			}
		}
	}
	return routes, nil
}
