package modeltest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// step is a few operations at once, after which everything comes to rest. What its numbers mean is decided when it is
// taken, by what there is to choose from then, so that steps can be cut out of a list and the rest still makes sense.
type step struct {
	ops  []op
	fuse int // the node dies at this commit of the step, or at its end; 0: it lives
	when moment
	ill  illness // what is wrong with the ledger while the step is taken
}

// op is one thing that somebody does.
type op struct {
	kind    string
	who     int // the client
	a, b, c uint32
}

func (s step) String() string {
	var parts []string
	for _, o := range s.ops {
		parts = append(parts, fmt.Sprintf("%s(%d,%d,%d,%d)", o.kind, o.who, o.a, o.b, o.c))
	}
	if s.fuse > 0 {
		parts = append(parts, fmt.Sprintf("crash(%d,%d)", s.fuse, s.when))
	}
	if s.ill > 0 {
		parts = append(parts, fmt.Sprintf("ill(%d)", s.ill))
	}
	return strings.Join(parts, " ")
}

// weights say how often a kind of operation comes up.
var weights = []struct {
	kind   string
	weight int
}{
	{"connect", 14},
	{"close", 3},
	{"cut", 3},
	{"vanish", 1},
	{"freeze", 2},
	{"thaw", 2},
	{"mute", 3},
	{"send", 30},
	{"repeat", 6},
	{"conflict", 2},
	{"reuse", 2},
	{"spoof", 3},
	{"rest", 4},
	{"ack", 20},
	{"ackMany", 14},
	{"ackAgain", 3},
	{"ackUpTo", 8},
	{"forge", 6},
	{"sync", 9},
	{"recall", 5},
	{"unrecall", 2},
}

// waits are how long the clients do nothing, in milliseconds.
var waits = []uint32{300, 700, 1_000, 2_000, 2_500, 6_000, 12_000, 25_000, 45_000, 130_000}

func randomOp(rng *rand.Rand) op {
	total := 0
	for _, w := range weights {
		total += w.weight
	}
	n := rng.IntN(total)
	o := op{who: rng.IntN(users * perUser), a: rng.Uint32N(1000), b: rng.Uint32N(1000), c: rng.Uint32N(1000)}
	for _, w := range weights {
		if n -= w.weight; n < 0 {
			o.kind = w.kind
			break
		}
	}
	return o
}

// randomSteps makes up a run. It begins with some clients coming online.
func randomSteps(rng *rand.Rand, count int) []step {
	var steps []step
	// A few users do most of the talking, so that threads become long.
	crowd := 2 + rng.IntN(users-1)
	focus := func(o op) op {
		if rng.IntN(4) > 0 {
			o.who %= crowd * perUser
		}
		return o
	}
	for range 4 + rng.IntN(12) {
		steps = append(steps, step{ops: []op{focus(op{kind: "connect", who: rng.IntN(users * perUser)})}})
	}
	for range count {
		var s step
		switch n := rng.IntN(100); {
		case n < 8:
			s.ops = []op{{kind: "wait", a: waits[rng.IntN(len(waits))]}}
		case n < 10:
			s.ops = []op{{kind: "restart"}}
		case n < 50:
			s.ops = []op{focus(randomOp(rng))}
		default:
			for range 2 + rng.IntN(12) {
				s.ops = append(s.ops, focus(randomOp(rng)))
			}
			switch rng.IntN(12) {
			case 0, 1:
				s.fuse, s.when = 1+rng.IntN(8), moment(rng.IntN(3))
			case 2:
				s.ill = illness(1 + rng.IntN(2))
			}
		}
		steps = append(steps, s)
	}
	return steps
}
