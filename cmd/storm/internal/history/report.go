package history

import (
	"fmt"
	"strings"
)

// Class is which promise a violation breaks.
type Class uint8

// The promises. The first six are always in the verdict.
const (
	Lost           Class = iota // accepted, and not shown on a device it was due to
	ShownTwice                  // one message under two positions, or two messages under one
	OutOfOrder                  // a lower seq after a higher one, a gap, or sends in another order than they were made
	ProofMissing                // acknowledged with a 16, and the sender has no 17
	ShownRecalled               // to a session that began after the recall was answered, or after the device was told of it
	HistoryDiffers              // what REST reads back is not what was sent and shown
	Unanswered                  // sent, and neither accepted nor refused to the end; acknowledged, and never a 16
	Invented                    // shown, accepted, acknowledged or proved, but never sent or done
	Closed                      // a session that a living server ended without a reason
	Late                        // shown long after it was accepted, though the session stood and everything could be stored
	classes
)

var classNames = [classes]string{"lost", "shown twice", "out of order", "proofs missing", "shown after recall", "wrong in history", "unanswered", "invented", "closed", "late"}

// String returns the class as the verdict names it.
func (c Class) String() string { return classNames[c] }

// Violation is one broken promise.
type Violation struct {
	Class    Class
	Text     string
	MsgID    string   // of the message concerned; may be empty
	Position Position // likewise
	Device   Device   // likewise
	Open     bool     // more time may heal it: it has not been shown, answered or proved yet
	event    int      // that showed it, from 1; 0: the end of the log
}

// Report is what Check found.
type Report struct {
	Messages   int // that were accepted
	Recalls    int // that were answered
	Delayed    int // messages that waited in the server, cancelled ones among them
	Positions  int // read back from histories
	Kills      int // of nodes
	Outages    int // faults of other kinds
	Violations []Violation
	counts     [classes]int
	open       int
}

// Count returns the number of violations of a class.
func (r *Report) Count(c Class) int { return r.counts[c] }

// Pending reports whether there are violations that more time may heal.
func (r *Report) Pending() bool { return r.open > 0 }

func (r *Report) add(v Violation) {
	r.Violations = append(r.Violations, v)
	r.counts[v.Class]++
	if v.Open {
		r.open++
	}
}

// Verdict says how it went, on one line: the first six promises in any case, the others where they were broken.
func (r *Report) Verdict() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d messages, %d recalled, %d delayed, %d positions read back, %d kills", r.Messages, r.Recalls, r.Delayed, r.Positions, r.Kills)
	if r.Outages > 0 {
		fmt.Fprintf(&b, ", %d outages", r.Outages)
	}
	for class := range classes {
		if n := r.Count(class); n > 0 || class <= HistoryDiffers {
			fmt.Fprintf(&b, "%s %d %s", separator(class), n, class)
		}
	}
	return b.String()
}

func separator(c Class) string {
	if c == Lost {
		return ":"
	}
	return ","
}
