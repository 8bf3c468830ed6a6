// Package fault is what a storm does to a cluster and everything beneath it.
package fault

import (
	"context"
	"math/rand/v2"
	"time"
)

// Fault is something that goes wrong until it is mended. Both functions return when that has happened.
type Fault struct {
	Name   string // as the story of a storm tells it: "kill node 2"
	Node   int    // whose process dies, with all its sessions; 0: none
	Ledger bool   // nothing can be stored meanwhile
	Strike func(ctx context.Context) error
	Mend   func(ctx context.Context) error
}

// Strike is one fault, or several at one time.
type Strike struct {
	Faults []Fault
	Lasts  time.Duration // from when all are down to when the first is mended
}

// Series are strikes one after the other. Several series may strike at the same time.
type Series []Strike

// Spread draws after how many of all messages each of n strikes comes: one moment in each of as many equal parts.
func Spread(r *rand.Rand, n, messages int) []int {
	moments := make([]int, n)
	part := float64(messages) / float64(n+1)
	for i := range moments {
		moments[i] = int(part * (float64(i) + 0.3 + r.Float64()))
	}
	return moments
}

// Pair makes a strike of two at one time.
func Pair(a, b Fault, lasts time.Duration) Strike {
	return Strike{Faults: []Fault{a, b}, Lasts: lasts}
}

// One makes a strike of a single fault.
func One(f Fault, lasts time.Duration) Strike { return Strike{Faults: []Fault{f}, Lasts: lasts} }
