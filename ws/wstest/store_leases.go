package wstest

import (
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// leaseRules: a lease is one holder's at a time.
var leaseRules = []rule{
	{"isOnes", func(s *subject) {
		s.holds(leasing("relay", "n1", 1000, 6000))
		s.refuses(protocol.Conflict, leasing("relay", "n2", 1000, 6000))
		s.refuses(protocol.Conflict, leasing("relay", "n2", 5999, 9000))
		s.holds(leasing("other", "n2", 1000, 6000))
	}},
	{"isRenewed", func(s *subject) {
		s.holds(leasing("relay", "n1", 1000, 6000))
		s.holds(leasing("relay", "n1", 2000, 7000))
		s.refuses(protocol.Conflict, leasing("relay", "n2", 6500, 9000))
		s.holds(leasing("relay", "n1", 99_000, 100_000))
	}},
	{"isTakenOver", func(s *subject) {
		s.holds(leasing("relay", "n1", 1000, 6000))
		s.holds(leasing("relay", "n2", 6000, 11_000))
		s.refuses(protocol.Conflict, leasing("relay", "n1", 6000, 11_000))
	}},
	{"isGivenUp", func(s *subject) {
		s.holds(leasing("relay", "n1", 1000, 6000))
		s.holds(leasing("relay", "n1", 2000, 2000))
		s.holds(leasing("relay", "n2", 2000, 7000))
	}},
	{"inOneBatch", func(s *subject) {
		first, second := leasing("relay", "n1", 1000, 6000), leasing("relay", "n2", 1000, 6000)
		s.commit(first, second)
		require.NoError(s, first.Err)
		s.refused(protocol.Conflict, second)
	}},
	{"clockAhead", func(s *subject) {
		s.holds(leasing("relay", "n1", 101_000, 106_000))
		s.refuses(protocol.Conflict, leasing("relay", "n2", 50_000, 55_000)) // which is not much behind
		s.holds(leasing("relay", "n2", 1000, 6000))
	}},
	{"refusedAlone", func(s *subject) {
		s.holds(leasing("relay", "n1", 1000, 6000))
		refused, event := leasing("relay", "n2", 1000, 6000), &ws.AddEvents{Events: []ws.Event{{Topic: "t"}}}
		s.commit(refused, event)
		s.refused(protocol.Conflict, refused)
		require.NoError(s, event.Err)
		require.Len(s, s.events(ws.EventPending), 1)
	}},
	{"atOnce", func(s *subject) {
		const holders = 8
		var taken atomic.Int32
		var running sync.WaitGroup
		for i := range holders {
			running.Go(func() {
				op := leasing("relay", string(rune('a'+i)), 1000, 6000)
				if err := s.Commit(s.ctx, []ws.Op{op}); err != nil {
					s.Errorf("commit: %v", err)
				}
				if op.Err == nil {
					taken.Add(1)
				}
			})
		}
		running.Wait()
		require.Equal(s, int32(1), taken.Load())
	}},
}

func leasing(name, holder string, at, until ws.Millis) *ws.TakeLease {
	return &ws.TakeLease{Name: name, Holder: holder, At: at, Until: until}
}
