package memory

import (
	"math/rand/v2"
	"time"
)

// Faults are what a Broker does wrong. The zero value does nothing wrong. Shares go from 0, never, to 1, always.
type Faults struct {
	Lose   float64       // share of bodies that nobody gets
	Repeat float64       // share of bodies that come twice
	Late   float64       // share of bodies, and of their repeats, that come late and so behind later ones
	Delay  time.Duration // how late at most
	Seed   uint64        // the same seed makes the same choices
}

// Fault makes the broker do wrong to what is published from now on.
func (b *Broker) Fault(f Faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults, b.random = f, rand.New(rand.NewPCG(f.Seed, 0)) //nolint:gosec // tests want the same choices again
}

// Stop begins an outage: nothing is delivered, while queues take what they can hold.
func (b *Broker) Stop() { b.stop(true) }

// Start ends an outage: what waits is delivered.
func (b *Broker) Start() { b.stop(false) }

func (b *Broker) stop(stopped bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = stopped
	for _, q := range b.queues {
		q.change()
	}
}

// fates returns how long each copy of a body waits: of most there is one that waits not at all. The caller holds mu.
func (b *Broker) fates() []time.Duration {
	if b.random == nil {
		return []time.Duration{0}
	}
	if b.chance(b.faults.Lose) {
		return nil
	}
	fates := []time.Duration{b.lateness()}
	if b.chance(b.faults.Repeat) {
		fates = append(fates, b.lateness())
	}
	return fates
}

func (b *Broker) lateness() time.Duration {
	if b.faults.Delay <= 0 || !b.chance(b.faults.Late) {
		return 0
	}
	return 1 + time.Duration(b.random.Int64N(int64(b.faults.Delay)))
}

func (b *Broker) chance(share float64) bool { return b.random.Float64() < share }
