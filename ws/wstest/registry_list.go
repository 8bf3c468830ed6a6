package wstest

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// listRules: whoever is there is listed, page by page, by whichever node is asked.
var listRules = []registryRule{
	{"nobody", func(s *registrySubject) { s.lists(10) }},
	{"onEachNode", func(s *registrySubject) {
		bob, phone, carol := s.a.opens("bob", "web", 1), s.b.opens("bob", "phone", 2), s.b.opens("carol_1", "web", 3)
		s.lists(10, bob, phone, carol)
		s.a.removes(bob)
		s.lists(10, phone, carol)
	}},
	{"inPages", func(s *registrySubject) {
		var all []ws.Route
		for i := range uint64(400) {
			m := s.a
			if i%3 == 0 {
				m = s.b
			}
			all = append(all, m.opens(fmt.Sprintf("user-%d", i), "web", i+1))
		}
		for _, limit := range []int{1, 7, 150, 1000} {
			s.lists(limit, all...)
		}
		_, next, err := s.a.List(s.ctx, "", 10)
		require.NoError(s, err)
		require.NotEmpty(s, next, "not all at once")
	}},
	{"notOfTheDead", func(s *registrySubject) {
		bob := s.a.opens("bob", "web", 1)
		s.b.opens("carol", "web", 2)
		s.b.silent()
		s.b.s.a.reaps()
		s.lists(10, bob)
	}},
	{"byANodeThatGoes", func(s *registrySubject) {
		for i := range uint64(400) {
			s.b.opens(fmt.Sprintf("user-%d", i), "web", i+1)
		}
		_, next, err := s.a.List(s.ctx, "", 10)
		require.NoError(s, err)
		s.b.leaves()
		for range 1000 {
			if next == "" {
				return
			}
			_, next, err = s.a.List(s.ctx, next, 10)
			require.NoError(s, err)
		}
		require.Fail(s, "it never ends")
	}},
	{"byAnythingForACursor", func(s *registrySubject) {
		for _, cursor := range []string{"/", "x", "127.0.0.1:1/x", "\x00", "zzz/7"} {
			_, _, err := s.a.List(s.ctx, cursor, 10)
			require.NoError(s, err)
		}
	}},
}

// lists checks what both nodes list, by pages of a size.
func (s *registrySubject) lists(limit int, want ...ws.Route) {
	s.Helper()
	for _, m := range []*member{s.a, s.b} {
		found := make(map[string]ws.Route)
		for cursor, pages := "", 0; ; pages++ {
			require.Less(s, pages, 10_000, "it never ends")
			routes, next, err := m.List(s.ctx, cursor, limit)
			require.NoError(s, err)
			for _, route := range routes {
				found[route.SessionID] = route
			}
			if cursor = next; next == "" {
				break
			}
		}
		var got []ws.Route
		for _, route := range found {
			got = append(got, route)
		}
		s.same(want, got)
	}
}
