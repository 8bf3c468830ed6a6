package wstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// registrySubject is the registry under test with the steps that rules are made of. A step that does not go as it
// should ends the test.
type registrySubject struct {
	*testing.T
	Registries
	ctx  context.Context
	a, b *member // have joined
}

// member is a node with its access to the registry.
type member struct {
	ws.Registry
	s    *registrySubject
	node ws.Node
}

func newRegistrySubject(t *testing.T, open func(t *testing.T) Registries) *registrySubject {
	s := &registrySubject{T: t, Registries: open(t), ctx: context.WithoutCancel(t.Context())}
	s.a, s.b = s.joins("a", 1), s.joins("b", 2)
	return s
}

// member opens the registry for a node that has not joined. Its address follows from its id.
func (s *registrySubject) member(id string, incarnation uint64) *member {
	s.Helper()
	port := 8000
	for _, c := range id {
		port += int(c)
	}
	return s.memberAt(id, fmt.Sprintf("10.0.0.1:%d", port), incarnation)
}

func (s *registrySubject) memberAt(id, address string, incarnation uint64) *member {
	s.Helper()
	node := ws.Node{ID: id, Address: address, Incarnation: incarnation}
	m := &member{Registry: s.Open(s.T, node), s: s, node: node}
	s.Cleanup(func() { _ = m.Close() })
	return m
}

// joins is a member that has joined.
func (s *registrySubject) joins(id string, incarnation uint64) *member {
	s.Helper()
	m := s.member(id, incarnation)
	require.True(s, m.beats(), "the first beat joins")
	return m
}

// beats returns whether the node joined by it.
func (m *member) beats() bool {
	m.s.Helper()
	joined, err := m.Beat(m.s.ctx, m.node)
	require.NoError(m.s, err)
	return joined
}

// refused beats, which has to be refused because of holder.
func (m *member) refused(holder *member) {
	m.s.Helper()
	_, err := m.Beat(m.s.ctx, m.node)
	var taken *ws.NodeTakenError
	require.ErrorAs(m.s, err, &taken)
	require.Equal(m.s, ws.NodeTakenError{ID: holder.node.ID, Address: holder.node.Address}, *taken)
}

// route is one of this node's. Every route of it has a time of its own by its epoch.
func (m *member) route(user, device string, epoch uint64) ws.Route {
	return ws.Route{
		User: user, Device: device, Epoch: epoch,
		SessionID: fmt.Sprintf("%s_%s_20260102%06d", m.node.Address, user, epoch%1_000_000),
		Node:      m.node.ID, Incarnation: m.node.Incarnation, Since: ws.Millis(1_700_000_000_000 + epoch%1_000_000),
	}
}

// puts records routes and returns what they displaced.
func (m *member) puts(routes ...ws.Route) []ws.Route {
	m.s.Helper()
	displaced, err := m.Put(m.s.ctx, routes)
	require.NoError(m.s, err)
	return displaced
}

// holds records routes that displace nothing.
func (m *member) holds(routes ...ws.Route) {
	m.s.Helper()
	require.Empty(m.s, m.puts(routes...))
}

// opens records a route that displaces nothing, and returns it.
func (m *member) opens(user, device string, epoch uint64) ws.Route {
	m.s.Helper()
	route := m.route(user, device, epoch)
	m.holds(route)
	return route
}

func (m *member) removes(routes ...ws.Route) {
	m.s.Helper()
	require.NoError(m.s, m.Remove(m.s.ctx, routes))
}

func (m *member) leaves() {
	m.s.Helper()
	require.NoError(m.s, m.Leave(m.s.ctx, m.node))
}

func (m *member) prunes(live map[string]bool) []ws.Route {
	m.s.Helper()
	gone, err := m.Prune(m.s.ctx, m.node, func(sessionID string) bool { return live[sessionID] })
	require.NoError(m.s, err)
	return gone
}

func (m *member) reaps() []ws.Route {
	m.s.Helper()
	gone, err := m.Reap(m.s.ctx)
	require.NoError(m.s, err)
	return gone
}

// silent makes the node a dead one.
func (m *member) silent() {
	m.s.Helper()
	m.s.Silence(m.s.T, m.node.Address)
}

// at checks where users are, as both nodes see it.
func (s *registrySubject) at(users []string, want ...ws.Route) {
	s.Helper()
	for _, m := range []*member{s.a, s.b} {
		routes, err := m.Locate(s.ctx, users)
		require.NoError(s, err)
		s.same(want, routes)
	}
}

// same checks that two lists have the same routes, in whatever order.
func (s *registrySubject) same(want, got []ws.Route) {
	s.Helper()
	require.Equal(s, byEpoch(want), byEpoch(got))
}

// byEpoch returns routes in an order of its own: by epoch, then by session.
func byEpoch(routes []ws.Route) []ws.Route {
	return slices.SortedFunc(slices.Values(routes), func(a, b ws.Route) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.SessionID, b.SessionID))
	})
}

// living checks who is in the cluster, as both nodes see it.
func (s *registrySubject) living(ids ...string) {
	s.Helper()
	for _, m := range []*member{s.a, s.b} {
		nodes, err := m.Nodes(s.ctx)
		require.NoError(s, err)
		var got []string
		for _, node := range nodes {
			got = append(got, node.ID)
		}
		require.Equal(s, ids, got)
	}
}

// calls is every call of the contract that takes a context.
func (m *member) calls() map[string]func(ctx context.Context) error {
	routes := []ws.Route{m.route("bob", "web", 1)}
	return map[string]func(ctx context.Context) error{
		"Put":    func(ctx context.Context) error { _, err := m.Put(ctx, routes); return err },
		"Remove": func(ctx context.Context) error { return m.Remove(ctx, routes) },
		"Locate": func(ctx context.Context) error { _, err := m.Locate(ctx, []string{"bob"}); return err },
		"List":   func(ctx context.Context) error { _, _, err := m.List(ctx, "", 10); return err },
		"Beat":   func(ctx context.Context) error { _, err := m.Beat(ctx, m.node); return err },
		"Leave":  func(ctx context.Context) error { return m.Leave(ctx, m.node) },
		"Nodes":  func(ctx context.Context) error { _, err := m.Nodes(ctx); return err },
		"Reap":   func(ctx context.Context) error { _, err := m.Reap(ctx); return err },
	}
}

// registryCallRules: a call ends with its context, and a closed registry says so and takes nothing with it.
var registryCallRules = []registryRule{
	{"context", func(s *registrySubject) {
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		for name, call := range s.a.calls() {
			require.ErrorIs(s, call(ctx), context.Canceled, name)
		}
	}},
	{"closed", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		c := s.joins("c", 3)
		held := c.opens("carol", "web", 1)
		require.NoError(s, c.Close())
		for name, call := range c.calls() {
			require.Error(s, call(s.ctx), name)
		}
		s.at([]string{"bob", "carol"}, route, held)
		s.living("a", "b", "c")
	}},
	{"nothing", func(s *registrySubject) {
		s.a.holds()
		s.a.removes()
		routes, err := s.a.Locate(s.ctx, nil)
		require.NoError(s, err)
		require.Empty(s, routes)
	}},
}
