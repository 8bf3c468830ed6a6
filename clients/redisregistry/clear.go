package redisregistry

import (
	"context"

	"github.com/yanlink/yanlink/ws"
)

// life is one life of the node at an address, which is over, or in which another one ended.
type life struct {
	address     string
	node        string
	incarnation string
	joined      int64
	gone        bool // else only former lives are
}

// keeps returns the incarnation whose routes stay.
func (l *life) keeps() string {
	if l.gone {
		return ""
	}
	return l.incarnation
}

// clear removes the routes of a life that is over, and of those before it, and returns them.
func (r *Registry) clear(ctx context.Context, l life) (gone []ws.Route, err error) {
	var cursor uint64
	var all []any
	for {
		var sessions []string
		if sessions, cursor, err = r.client.SScan(ctx, indexKey(l.address), cursor, "", atOnce).Result(); err != nil {
			return gone, err
		}
		routes, cleared, err := r.clearSessions(ctx, &l, sessions)
		gone, all = append(gone, routes...), append(all, cleared...)
		if err != nil {
			return gone, err
		}
		if err := r.unindex(ctx, l.address, cleared); err != nil {
			return gone, err
		}
		if cursor == 0 {
			return gone, r.settle(ctx, &l, all)
		}
	}
}

// clearSessions removes the routes of sessions that are of that life or one before it. It returns them, and the sessions
// of which nothing is recorded now. A session without a route is among the routes by its name if the life is over and the
// user is nowhere: who removed the route may have died before it told anybody.
func (r *Registry) clearSessions(ctx context.Context, l *life, sessions []string) (gone []ws.Route, cleared []any, err error) {
	users := make([]string, len(sessions))
	calls := make([]*call, len(sessions))
	for i, session := range sessions {
		users[i] = userOf(session, l.address)
		calls[i] = &call{key: clientKey(users[i]), args: []any{session, l.joined, l.keeps()}}
	}
	err = r.run(ctx, clearScript, calls)
	for i, c := range calls {
		value, failed := c.reply.Text()
		if failed != nil {
			continue // it stays, or nobody can tell
		}
		cleared = append(cleared, sessions[i])
		if route, removed := decodeRoute(users[i], sessions[i], value); removed {
			gone = append(gone, route)
		} else if value == "" && l.gone {
			gone = append(gone, ws.Route{User: users[i], SessionID: sessions[i], Node: l.node})
		}
	}
	return gone, cleared, err
}

// settle notes that a life is cleared. If the node has come back meanwhile and put its routes again, we may have taken
// their sessions out of the index after that: then all stand in it again, and what is past among them is found next time.
func (r *Registry) settle(ctx context.Context, l *life, cleared []any) error {
	settled, err := r.one(ctx, settleScript, serversKey, l.address, l.incarnation, l.joined, l.gone).Bool()
	if err != nil || settled || len(cleared) == 0 {
		return err
	}
	return r.client.SAdd(ctx, indexKey(l.address), cleared...).Err()
}
