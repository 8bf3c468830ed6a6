package ws

import (
	"context"
	"slices"
)

// How it stands with a user's presence.
const (
	statusOnline  = "online"
	statusOffline = "offline"
	statusUnknown = "unknown" // while the registry does not answer, or to whom may not know
)

// Presence returns the online state of users, wherever they are, in their order. While the registry does not answer, or has lost
// what it knew, who is not found is unknown; so is whom viewer may not watch. An empty viewer may watch all.
func (g *Gateway) Presence(ctx context.Context, viewer string, users []string) ([]Presence, error) {
	elsewhere, complete := g.elsewhere(users)
	complete = complete && g.cluster.settled(ctx)
	list, err := g.describe(ctx, users, elsewhere, complete)
	if err != nil || viewer == "" {
		return list, err
	}
	for i, user := range users {
		if !g.mayWatch(ctx, viewer, user) {
			list[i] = Presence{OpenID: user, Status: statusUnknown}
		}
	}
	return list, nil
}

// mayWatch reports whether viewer may know of the user's presence: of the own one everybody may.
func (g *Gateway) mayWatch(ctx context.Context, viewer, user string) bool {
	return viewer == user || g.opt.Authorizer.MayWatch(ctx, viewer, user)
}

// describe returns how it stands with users who have sessions elsewhere; complete says that these are all.
func (g *Gateway) describe(ctx context.Context, users []string, elsewhere map[string][]Route, complete bool) ([]Presence, error) {
	known, err := g.store.Users(ctx, users)
	if err != nil {
		return nil, err
	}
	lastSeen := make(map[string]Millis, len(known))
	for i := range known {
		lastSeen[known[i].OpenID] = known[i].LastSeen
	}
	list := make([]Presence, 0, len(users))
	for _, user := range users {
		p := Presence{OpenID: user, Status: statusOffline, LastSeen: lastSeen[user]}
		if !complete {
			p.Status = statusUnknown
		}
		for _, s := range g.hub.sessions(user) {
			p.add(s.route())
		}
		for _, route := range elsewhere[user] {
			p.add(route)
		}
		list = append(list, p)
	}
	return list, nil
}

// elsewhere returns the routes of users on other nodes; false if nobody can tell.
func (g *Gateway) elsewhere(users []string) (map[string][]Route, bool) {
	if g.cluster == nil {
		return nil, true
	}
	routes, err := g.cluster.locate(users)
	if err != nil {
		return nil, false
	}
	byUser := make(map[string][]Route)
	for _, route := range routes {
		if route.Node != g.opt.NodeID {
			byUser[route.User] = append(byUser[route.User], route)
		}
	}
	return byUser, true
}

// add counts a session.
func (p *Presence) add(r Route) {
	p.Status = statusOnline
	if !slices.Contains(p.Devices, r.Device) {
		p.Devices = append(p.Devices, r.Device)
	}
	if !slices.Contains(p.Nodes, r.Node) {
		p.Nodes = append(p.Nodes, r.Node)
	}
	if p.Since == 0 || r.Since < p.Since {
		p.Since = r.Since
	}
}

// Nodes lists the living members of the cluster, by id; a node alone lists itself. Refused with
// overloaded while the registry does not answer.
func (g *Gateway) Nodes(ctx context.Context) ([]Node, error) {
	if g.cluster == nil {
		return []Node{g.self()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, g.opt.RegistryTimeout)
	defer cancel()
	nodes, err := g.opt.Registry.Nodes(ctx)
	if err != nil {
		return nil, errNoRegistry(err)
	}
	return nodes, nil
}

// self is this node as it shows itself to the cluster.
func (g *Gateway) self() Node {
	return Node{
		ID: g.opt.NodeID, Address: g.opt.Advertise, Incarnation: g.opt.Incarnation,
		Connections: int(g.hub.count.Load()), Draining: g.state.Load() != stateRunning, Beat: g.now(),
	}
}
