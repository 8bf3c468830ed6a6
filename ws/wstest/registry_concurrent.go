package wstest

import (
	"fmt"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// concurrentRules: what holds for calls one after the other holds for calls at once.
var concurrentRules = []registryRule{
	{"onePutWins", func(s *registrySubject) {
		const each = 50
		var all []ws.Route
		var mu sync.Mutex
		var displaced []ws.Route
		var wg sync.WaitGroup
		for i, m := range []*member{s.a, s.b} {
			for n := range each {
				route := m.route("bob", "web", uint64(2*n+i+1))
				all = append(all, route)
				wg.Go(func() {
					lost, err := m.Put(s.ctx, []ws.Route{route})
					if err != nil {
						s.Errorf("Put: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					displaced = append(displaced, lost...)
				})
			}
		}
		wg.Wait()
		all = byEpoch(all)
		s.at([]string{"bob"}, all[len(all)-1])
		s.same(all[:len(all)-1], displaced)
	}},
	{"putAndRemove", func(s *registrySubject) {
		var wg sync.WaitGroup
		for i, m := range []*member{s.a, s.b} {
			for n := range 20 {
				user := fmt.Sprintf("user-%d", n)
				wg.Go(func() {
					for epoch := range uint64(10) {
						route := m.route(user, fmt.Sprint("device-", i), epoch)
						_, errPut := m.Put(s.ctx, []ws.Route{route})
						errRemove := m.Remove(s.ctx, []ws.Route{route})
						if errPut != nil || errRemove != nil {
							s.Errorf("Put: %v, Remove: %v", errPut, errRemove)
						}
					}
				})
			}
		}
		wg.Wait()
		for n := range 20 {
			s.at([]string{fmt.Sprintf("user-%d", n)})
		}
	}},
	{"oneReaps", func(s *registrySubject) {
		var routes []ws.Route
		for n := range 200 {
			routes = append(routes, s.a.route(fmt.Sprintf("user-%d", n), "web", 1))
		}
		s.a.holds(routes...)
		s.a.silent()
		var mu sync.Mutex
		var gone []ws.Route
		var wg sync.WaitGroup
		for i := range uint64(6) {
			m := s.joins(fmt.Sprint("reaper-", i), 100+i)
			wg.Go(func() {
				for range 3 {
					some, err := m.Reap(s.ctx)
					if err != nil {
						s.Errorf("Reap: %v", err)
					}
					mu.Lock()
					gone = append(gone, some...)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		gone = append(gone, s.b.reaps()...)
		s.same(routes, gone)
	}},
	{"oneLifeJoins", func(s *registrySubject) {
		s.a.silent()
		var mu sync.Mutex
		var joined int
		var wg sync.WaitGroup
		for i := range uint64(6) {
			m := s.member("a", 100+i)
			wg.Go(func() {
				ok, err := m.Beat(s.ctx, m.node)
				mu.Lock()
				defer mu.Unlock()
				if err == nil && ok {
					joined++
				}
			})
		}
		wg.Wait()
		require.Equal(s, 1, joined)
		s.living("a", "b")
	}},
}
