package wstest

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// beatRules: an incarnation joins once, and nobody lives under the name of another.
var beatRules = []registryRule{
	{"joinsOnce", func(s *registrySubject) {
		require.False(s, s.a.beats())
		require.False(s, s.a.beats())
		s.living("a", "b")
	}},
	{"idTaken", func(s *registrySubject) {
		other := s.memberAt("a", "10.0.0.9:9999", 7)
		other.refused(s.a)
		other.refused(s.a)
		require.False(s, s.a.beats(), "who was there is not disturbed")
		s.living("a", "b")
	}},
	{"addressTaken", func(s *registrySubject) {
		other := s.memberAt("other", s.a.node.Address, 7)
		other.refused(s.a)
		s.living("a", "b")
	}},
	{"nextLifeTooEarly", func(s *registrySubject) {
		next := s.member("a", 7)
		next.refused(s.a)
	}},
	{"nextLife", func(s *registrySubject) {
		s.a.silent()
		next := s.member("a", 7)
		require.True(s, next.beats())
		require.False(s, next.beats())
		s.a.refused(next)
		s.living("a", "b")
	}},
	{"idMoves", func(s *registrySubject) {
		s.a.silent()
		moved := s.memberAt("a", "10.0.0.9:9999", 7)
		require.True(s, moved.beats())
		s.a.refused(moved)
		s.living("a", "b")
	}},
	{"addressTakenOver", func(s *registrySubject) {
		s.a.silent()
		other := s.memberAt("other", s.a.node.Address, 7)
		require.True(s, other.beats())
		s.a.refused(other)
		s.living("b", "other")
	}},
	{"wakes", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.a.silent()
		s.living("b")
		s.a.beats()
		s.living("a", "b")
		require.Empty(s, s.b.reaps())
		s.at([]string{"bob"}, route)
	}},
	{"wakesReaped", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.a.silent()
		s.same([]ws.Route{route}, s.b.reaps())
		require.True(s, s.a.beats(), "its routes are gone")
		s.a.holds(route)
		require.Empty(s, s.b.reaps())
		s.at([]string{"bob"}, route)
		require.False(s, s.a.beats())
	}},
}

// pruneRules: what is over goes, of this node's present life only.
var pruneRules = []registryRule{
	{"own", func(s *registrySubject) {
		var live []ws.Route
		for i := range 1200 {
			live = append(live, s.a.route(fmt.Sprintf("user_%d", i), "web", uint64(i)))
		}
		s.a.holds(live...)
		over, phone := s.a.opens("bob", "web", 2001), s.a.opens("bob", "phone", 2002)
		other := s.b.opens("carol", "web", 2003)
		ids := map[string]bool{phone.SessionID: true}
		for _, route := range live {
			ids[route.SessionID] = true
		}
		s.same([]ws.Route{over}, s.a.prunes(ids))
		s.at([]string{"bob", "carol"}, phone, other)
		s.at([]string{"user_0", "user_1199"}, live[0], live[1199])
		require.Empty(s, s.a.prunes(ids))
		s.lists(100, append(live, phone, other)...)
	}},
	{"formerLife", func(s *registrySubject) {
		former := s.a.opens("bob", "web", 1)
		s.a.silent()
		next := s.member("a", 7)
		next.beats()
		require.Empty(s, next.prunes(nil), "it is for the reaper, who tells that the user is offline")
		s.same([]ws.Route{former}, s.b.reaps())
	}},
}

// leaveRules: who leaves takes all its routes with it, and nobody else's.
var leaveRules = []registryRule{
	{"withItsRoutes", func(s *registrySubject) {
		s.a.opens("bob", "web", 1)
		s.a.opens("carol_with_score", "web", 1)
		phone := s.b.opens("bob", "phone", 1)
		s.a.leaves()
		s.living("b")
		s.at([]string{"bob", "carol_with_score"}, phone)
		require.Empty(s, s.b.reaps())
	}},
	{"twice", func(s *registrySubject) {
		s.a.leaves()
		s.a.leaves()
		s.living("b")
	}},
	{"freesItsName", func(s *registrySubject) {
		s.a.leaves()
		require.True(s, s.member("a", 7).beats())
	}},
	{"andComesBack", func(s *registrySubject) {
		s.a.leaves()
		require.True(s, s.a.beats())
		route := s.a.opens("bob", "web", 1)
		s.at([]string{"bob"}, route)
	}},
	{"afterAnotherTookOver", func(s *registrySubject) {
		s.a.silent()
		next := s.joins("a", 7)
		route := next.opens("bob", "web", 1)
		s.a.leaves()
		s.living("a", "b")
		s.at([]string{"bob"}, route)
	}},
}

// nodesRules: the living ones, as they said of themselves.
var nodesRules = []registryRule{
	{"whatTheySaid", func(s *registrySubject) {
		s.a.node.Connections, s.a.node.Draining = 1234, true
		s.a.beats()
		c := s.member("c", 1<<64-1)
		c.beats()
		nodes, err := s.b.Nodes(s.ctx)
		require.NoError(s, err)
		for i := range nodes {
			require.Positive(s, nodes[i].Beat)
			nodes[i].Beat = 0
		}
		require.Equal(s, []ws.Node{s.a.node, s.b.node, c.node}, nodes)
	}},
	{"ofManyLives", func(s *registrySubject) {
		for i := range uint64(5) {
			s.a.silent()
			s.joins("a", 10+i)
		}
		s.living("a", "b")
	}},
}

// reapRules: a dead node is taken out with its routes, once, and only its routes.
var reapRules = []registryRule{
	{"nobody", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		require.Empty(s, s.a.reaps())
		require.Empty(s, s.b.reaps())
		s.at([]string{"bob"}, route)
	}},
	{"once", func(s *registrySubject) {
		web, phone := s.a.opens("bob", "web", 1), s.b.opens("bob", "phone", 2)
		odd := s.a.opens("_under_score_", "web", 3)
		s.a.silent()
		s.same([]ws.Route{web, odd}, s.b.reaps())
		s.at([]string{"bob", "_under_score_"}, phone)
		require.Empty(s, s.b.reaps())
		s.living("b")
	}},
	{"many", func(s *registrySubject) {
		var routes []ws.Route
		for i := range 1500 {
			routes = append(routes, s.a.route(fmt.Sprintf("user_%d", i), "web", uint64(i)))
		}
		s.a.holds(routes...)
		s.a.silent()
		s.same(routes, s.b.reaps())
	}},
	{"severalNodes", func(s *registrySubject) {
		c := s.joins("c", 3)
		bob, carol := s.a.opens("bob", "web", 1), c.opens("carol", "web", 1)
		s.a.silent()
		c.silent()
		s.same([]ws.Route{bob, carol}, s.b.reaps())
		s.living("b")
	}},
	{"whoMoved", func(s *registrySubject) {
		s.a.opens("bob", "web", 1)
		s.a.silent()
		newer := s.b.route("bob", "web", 2)
		s.b.puts(newer)
		require.Empty(s, s.b.reaps())
		s.at([]string{"bob"}, newer)
	}},
	{"removedOnes", func(s *registrySubject) {
		s.a.removes(s.a.opens("bob", "web", 1))
		s.a.silent()
		require.Empty(s, s.b.reaps())
	}},
	{"takenOver", func(s *registrySubject) {
		old, moved := s.a.opens("bob", "web", 1), s.a.opens("carol", "web", 1)
		s.a.silent()
		next := s.joins("a", 7)
		newer := next.route("carol", "web", 2)
		s.same([]ws.Route{moved}, next.puts(newer))
		s.same([]ws.Route{old}, s.b.reaps())
		s.at([]string{"bob", "carol"}, newer)
		require.Empty(s, s.b.reaps())
	}},
	{"takenOverTwice", func(s *registrySubject) {
		first := s.a.opens("bob", "web", 1)
		s.a.silent()
		second := s.joins("a", 7)
		route := second.opens("carol", "web", 1)
		second.silent()
		third := s.joins("a", 8)
		newest := third.opens("dave", "web", 1)
		s.same([]ws.Route{first, route}, s.b.reaps())
		s.at([]string{"bob", "carol", "dave"}, newest)
	}},
	{"takenOverAndDead", func(s *registrySubject) {
		first := s.a.opens("bob", "web", 1)
		s.a.silent()
		second := s.joins("a", 7)
		route := second.opens("carol", "web", 1)
		second.silent()
		s.same([]ws.Route{first, route}, s.b.reaps())
		s.living("b")
	}},
}

// forgottenRules: a registry that lost everything is filled again by the nodes' next beats.
var forgottenRules = []registryRule{
	{"joinAgain", func(s *registrySubject) {
		bob, carol := s.a.opens("bob", "web", 1), s.b.opens("carol", "web", 1)
		s.Forget(s.T)
		s.at([]string{"bob", "carol"})
		s.living()
		require.True(s, s.a.beats())
		require.True(s, s.b.beats())
		s.a.holds(bob)
		s.b.holds(carol)
		s.living("a", "b")
		s.at([]string{"bob", "carol"}, bob, carol)
		require.Empty(s, s.a.reaps())
		require.False(s, s.a.beats())
	}},
	{"neverOverANewerOne", func(s *registrySubject) {
		older, newer := s.a.opens("bob", "web", 1), s.b.route("bob", "web", 2)
		s.Forget(s.T)
		s.b.beats()
		s.b.holds(newer)
		s.a.beats()
		s.same([]ws.Route{older}, s.a.puts(older))
		s.at([]string{"bob"}, newer)
	}},
	{"putBeforeTheBeat", func(s *registrySubject) {
		s.Forget(s.T)
		route := s.a.opens("bob", "web", 1)
		require.True(s, s.a.beats())
		require.Empty(s, s.b.reaps())
		s.a.holds(route)
		s.at([]string{"bob"}, route)
	}},
	{"removes", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.Forget(s.T)
		s.a.removes(route)
		s.a.leaves()
		s.at([]string{"bob"})
	}},
}
