package redisregistry

import (
	"context"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// Prune implements ws.Nodes: it goes through this node's index.
func (r *Registry) Prune(ctx context.Context, node ws.Node, live func(sessionID string) bool) (gone []ws.Route, err error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	at := place{address: r.opt.Address}
	for more := true; more; more = at.scan != 0 {
		past, err := r.listSome(ctx, &at, atOnce)
		if err != nil {
			return gone, r.failed(err, "list the sessions of node %s", node.ID)
		}
		past = slices.DeleteFunc(past, func(route ws.Route) bool {
			return route.Incarnation != node.Incarnation || live(route.SessionID)
		})
		if err := r.Remove(ctx, past); err != nil {
			return gone, err
		}
		gone = append(gone, past...)
	}
	return gone, nil
}
