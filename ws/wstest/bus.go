package wstest

import (
	"testing"

	"github.com/yanlink/yanlink/ws"
)

// busRules are the promises of ws.Bus, by what they are about.
var busRules = []struct {
	about string
	rules []busRule
}{
	{"Delivery", busDeliveryRules},
	{"Bodies", busBodyRules},
	{"Subscribe", busSubscribeRules},
	{"Close", busCloseRules},
}

// busRule is one promise of ws.Bus and how it is seen to hold, with nodes of its own.
type busRule struct {
	name  string
	check func(s *busSubject)
}

// Bus checks that an adapter keeps the promises of ws.Bus, on a bus that nothing goes wrong with. Each call of open
// returns one more process's connection to the same bus; the suite closes it.
func Bus(t *testing.T, open func(t *testing.T) ws.Bus) {
	for _, part := range busRules {
		t.Run(part.about, func(t *testing.T) {
			for _, r := range part.rules {
				t.Run(r.name, func(t *testing.T) { r.check(newBusSubject(t, open)) })
			}
		})
	}
}
