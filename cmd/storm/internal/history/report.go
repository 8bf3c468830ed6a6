package history

// Class is which promise a fault breaks.
type Class uint8

// The promises. The first four are those of the verdict.
const (
	Lost         Class = iota // accepted, and not shown on a device it was due to
	ShownTwice                // one message under two positions, or two messages under one
	OutOfOrder                // a lower seq after a higher one, a gap, or sends in another order than they were made
	ProofMissing              // acknowledged with a 16, and the sender has no 17
	Unanswered                // sent, and neither accepted nor refused to the end; acknowledged, and never a 16
	Invented                  // shown, accepted, acknowledged or proved, but never sent or done
	classes
)

var classNames = [classes]string{"lost", "shown twice", "out of order", "proofs missing", "unanswered", "invented"}

// String returns the class as the verdict names it.
func (c Class) String() string { return classNames[c] }

// Fault is one broken promise.
type Fault struct {
	Class    Class
	Text     string
	MsgID    string   // of the message concerned; may be empty
	Position Position // likewise
	Device   Device   // likewise
	Open     bool     // more time may heal it: it has not been shown, answered or proved yet
}

// Report is what Check found.
type Report struct {
	Messages int // that were accepted
	Kills    int
	Faults   []Fault
	counts   [classes]int
	open     int
}

// Count returns the number of faults of a class.
func (r *Report) Count(c Class) int { return r.counts[c] }

// Pending reports whether there are faults that more time may heal.
func (r *Report) Pending() bool { return r.open > 0 }

func (r *Report) add(f Fault) {
	r.Faults = append(r.Faults, f)
	r.counts[f.Class]++
	if f.Open {
		r.open++
	}
}
