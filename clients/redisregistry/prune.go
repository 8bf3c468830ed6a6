package redisregistry

import (
	"context"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// Prune implements ws.Nodes: it goes through this node's index. What stands there without a route it takes out, or each look at it would
// say again that a route is lost.
func (r *Registry) Prune(ctx context.Context, node ws.Node, live func(sessionID string) bool) (gone []ws.Route, err error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	at := place{address: r.opt.Address}
	for more := true; more; more = at.scan != 0 {
		past, bare, err := r.listSome(ctx, &at, atOnce)
		if err != nil {
			return gone, r.failed(err, "list the sessions of node %s", node.ID)
		}
		bare = slices.DeleteFunc(bare, live)
		var traces []ws.Route
		for _, session := range bare {
			traces = append(traces, ws.Route{User: userOf(session, at.address), SessionID: session, Node: node.ID})
		}
		gone = append(gone, traces...)
		if err := r.unindex(ctx, at.address, sessionsOf(traces)); err != nil { // it may be done, and nobody would find them again
			return gone, r.failed(err, "take sessions out of the index of node %s", node.ID)
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
