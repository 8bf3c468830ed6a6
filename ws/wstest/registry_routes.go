package wstest

import (
	"fmt"
	"math"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// putRules: of two routes of one device the higher epoch stays, wherever they are, and who gave way is told.
var putRules = []registryRule{
	{"first", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.at([]string{"bob"}, route)
	}},
	{"again", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.a.holds(route)
		s.a.holds(route, route)
		s.at([]string{"bob"}, route)
	}},
	{"newerHere", func(s *registrySubject) {
		older, newer := s.a.opens("bob", "web", 1), s.a.route("bob", "web", 2)
		s.same([]ws.Route{older}, s.a.puts(newer))
		s.at([]string{"bob"}, newer)
	}},
	{"newerElsewhere", func(s *registrySubject) {
		older, newer := s.a.opens("bob", "web", 9), s.b.route("bob", "web", 10)
		s.same([]ws.Route{older}, s.b.puts(newer))
		s.at([]string{"bob"}, newer)
	}},
	{"olderHere", func(s *registrySubject) {
		newer, older := s.a.opens("bob", "web", 10), s.a.route("bob", "web", 9)
		s.same([]ws.Route{older}, s.a.puts(older))
		s.at([]string{"bob"}, newer)
	}},
	{"olderElsewhere", func(s *registrySubject) {
		newer, older := s.a.opens("bob", "web", 2), s.b.route("bob", "web", 1)
		s.same([]ws.Route{older}, s.b.puts(older))
		s.same([]ws.Route{older}, s.b.puts(older))
		s.at([]string{"bob"}, newer)
	}},
	{"sameEpochElsewhere", func(s *registrySubject) {
		recorded, other := s.a.opens("bob", "web", 1), s.b.route("bob", "web", 1)
		s.same([]ws.Route{other}, s.b.puts(other))
		s.at([]string{"bob"}, recorded)
	}},
	{"highestEpochs", func(s *registrySubject) {
		older, newer := s.a.opens("bob", "web", math.MaxUint64-1), s.b.route("bob", "web", math.MaxUint64)
		s.same([]ws.Route{older}, s.b.puts(newer))
		s.same([]ws.Route{older}, s.a.puts(older))
		s.at([]string{"bob"}, newer)
	}},
	{"sameSessionOfAnotherLife", func(s *registrySubject) {
		older := s.a.opens("bob", "web", 1)
		newer := older
		newer.Incarnation, newer.Epoch = 7, 2
		s.a.holds(newer)
		s.at([]string{"bob"}, newer)
		s.same([]ws.Route{older}, s.a.puts(older))
		s.at([]string{"bob"}, newer)
	}},
	{"devicesApart", func(s *registrySubject) {
		web, phone := s.a.opens("bob", "web", 5), s.b.opens("bob", "phone", 1)
		s.at([]string{"bob"}, web, phone)
		newer := s.a.route("bob", "phone", 2)
		s.same([]ws.Route{phone}, s.a.puts(newer))
		s.at([]string{"bob"}, web, newer)
	}},
	{"usersApart", func(s *registrySubject) {
		bob, carol := s.a.opens("bob", "web", 1), s.b.opens("carol", "web", 2)
		s.at([]string{"bob"}, bob)
		s.at([]string{"carol"}, carol)
	}},
	{"inOneBatch", func(s *registrySubject) {
		first, second := s.a.route("bob", "web", 1), s.a.route("bob", "web", 2)
		carol := s.a.route("carol", "web", 1)
		s.same([]ws.Route{first}, s.a.puts(first, carol, second))
		s.at([]string{"bob", "carol"}, second, carol)
		s.same([]ws.Route{first}, s.a.puts(second, first))
		s.at([]string{"bob", "carol"}, second, carol)
	}},
	{"threeInOneBatch", func(s *registrySubject) {
		first, second, third := s.a.route("bob", "web", 1), s.a.route("bob", "web", 2), s.a.route("bob", "web", 3)
		s.same([]ws.Route{first, second}, s.a.puts(first, second, third))
		s.at([]string{"bob"}, third)
	}},
	{"everyDisplacedOne", func(s *registrySubject) {
		var older, newer []ws.Route
		for i := range 500 {
			user := fmt.Sprintf("user-%d", i)
			older = append(older, s.a.route(user, "web", 1))
			newer = append(newer, s.b.route(user, "web", 2))
		}
		s.a.holds(older...)
		s.same(older, s.b.puts(newer...))
		s.same(older, s.a.puts(older...))
	}},
	{"wholeRoute", func(s *registrySubject) {
		for i, name := range []string{"with_under_score", "_", "ünï ☃", `"quoted"\`, "a:b{c}*?[d]", `{"epoch":"7"}`} {
			route := s.a.route(name, name, math.MaxUint64-uint64(i))
			route.Incarnation = math.MaxUint64
			s.a.holds(route)
			s.at([]string{name}, route)
			s.a.removes(route)
			s.at([]string{name})
		}
	}},
}

// removeRules: only what is still the same is removed.
var removeRules = []registryRule{
	{"same", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.a.removes(route)
		s.at([]string{"bob"})
		s.a.removes(route)
		s.a.holds(route)
		s.at([]string{"bob"}, route)
	}},
	{"another", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 5)
		for name, change := range map[string]func(r *ws.Route){
			"session":     func(r *ws.Route) { r.SessionID += "-2" },
			"incarnation": func(r *ws.Route) { r.Incarnation++ },
			"older":       func(r *ws.Route) { r.Epoch-- },
			"newer":       func(r *ws.Route) { r.Epoch++ },
			"user":        func(r *ws.Route) { r.User = "carol" },
		} {
			other := route
			change(&other)
			s.a.removes(other)
			require.NotEqual(s, route, other, name)
			s.at([]string{"bob"}, route)
		}
	}},
	{"displaced", func(s *registrySubject) {
		older, newer := s.a.opens("bob", "web", 1), s.b.route("bob", "web", 2)
		s.b.puts(newer)
		s.a.removes(older)
		s.at([]string{"bob"}, newer)
	}},
	{"one of several", func(s *registrySubject) {
		web, phone := s.a.opens("bob", "web", 1), s.a.opens("bob", "phone", 2)
		carol := s.a.opens("carol", "web", 1)
		s.a.removes(carol, web)
		s.at([]string{"bob", "carol"}, phone)
	}},
}

// locateRules: everything that is known of the users asked for, and nothing else.
var locateRules = []registryRule{
	{"unknown", func(s *registrySubject) { s.at([]string{"nobody"}) }},
	{"many", func(s *registrySubject) {
		var users []string
		var routes []ws.Route
		for i := range 1000 {
			user := fmt.Sprintf("user-%d", i)
			users = append(users, user)
			if i%3 == 0 {
				continue
			}
			routes = append(routes, s.a.route(user, "web", 1))
			if i%5 == 0 {
				routes = append(routes, s.a.route(user, "phone", 2))
			}
		}
		s.a.holds(routes...)
		s.b.opens("another", "web", 1)
		s.at(users, routes...)
	}},
	{"ofADeadNode", func(s *registrySubject) {
		route := s.a.opens("bob", "web", 1)
		s.a.silent()
		s.at([]string{"bob"}, route)
	}},
}
