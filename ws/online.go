package ws

import (
	"context"
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Online lists everybody who is online, in pages of about limit, in no order; who comes or goes meanwhile may be missing, and
// who moves may be there twice. next is what to pass back as cursor; empty at the end. Refused with overloaded while the
// registry does not answer.
func (g *Gateway) Online(ctx context.Context, cursor string, limit int) (items []Presence, next string, err error) {
	if g.cluster == nil {
		users, next := g.hub.users(cursor, limit)
		items, err := g.describe(ctx, users, nil, true)
		return items, next, err
	}
	bounded, cancel := context.WithTimeout(ctx, g.opt.RegistryTimeout)
	defer cancel()
	listed, next, err := g.opt.Registry.List(bounded, cursor, limit)
	if err != nil {
		return nil, "", errNoRegistry(err)
	}
	elsewhere, users, err := g.firstOf(listed)
	if err != nil {
		return nil, "", errNoRegistry(err)
	}
	items, err = g.describe(ctx, users, elsewhere, true)
	return items, next, err
}

// firstOf returns the users whose oldest session is among the listed ones, and their sessions on other nodes: so that
// somebody with several is on one page.
func (g *Gateway) firstOf(listed []Route) (elsewhere map[string][]Route, users []string, err error) {
	for i := range listed {
		users = append(users, listed[i].User)
	}
	slices.Sort(users)
	located, err := g.cluster.locate(slices.Compact(users))
	if err != nil {
		return nil, nil, err
	}
	first := make(map[string]Route)
	elsewhere = make(map[string][]Route)
	for _, route := range located {
		if known, ok := first[route.User]; !ok || older(&route, &known) {
			first[route.User] = route
		}
		if route.Node != g.opt.NodeID {
			elsewhere[route.User] = append(elsewhere[route.User], route)
		}
	}
	users = users[:0]
	for i := range listed {
		if first[listed[i].User].SessionID == listed[i].SessionID {
			users = append(users, listed[i].User)
		}
	}
	return elsewhere, users, nil
}

// older reports whether one session began before another, in the order that every node sees.
func older(a, b *Route) bool {
	return a.Since < b.Since || a.Since == b.Since && a.SessionID < b.SessionID
}

func errNoRegistry(cause error) error {
	return &protocol.Error{Code: protocol.Overloaded, Message: "the registry does not answer; ask again later", Cause: cause}
}
