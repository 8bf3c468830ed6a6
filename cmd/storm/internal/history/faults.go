package history

import "strings"

// faults is what went wrong on purpose. Indexes are those of the log, from 1.
type faults struct {
	kills, others int
	died          map[int]int // node → up to when its sessions died with it
	dead          map[int]bool
	outages       []outage // of the ledger, by beginning; they do not overlap
}

// outage is a time in which nothing can be stored. An end of 0 is yet to come.
type outage struct{ struck, down, mending, mended int }

// note takes down one step of a fault.
func (f *faults) note(e *Event, at int) {
	if e.Kind == Struck {
		f.count(e)
	}
	if e.Node > 0 && e.Kind != Mended {
		// One that begins when the kill is under way dies too.
		f.died[e.Node], f.dead[e.Node] = at, e.Kind != Mending
	}
	if !e.Ledger {
		return
	}
	if e.Kind == Struck {
		f.outages = append(f.outages, outage{struck: at})
	}
	o := &f.outages[len(f.outages)-1]
	switch e.Kind {
	case Down:
		o.down = at
	case Mending:
		o.mending = at
	case Mended:
		o.mended = at
	}
}

func (f *faults) count(e *Event) {
	if e.Node == 0 {
		f.others++
		return
	}
	f.kills++
}

// withoutLedger reports whether nothing can be stored now, nor could since then.
func (f *faults) withoutLedger(since int) bool {
	if len(f.outages) == 0 {
		return false
	}
	o := f.outages[len(f.outages)-1]
	return o.down > 0 && o.down < since && o.mending == 0
}

// ledgerDown reports whether there was an outage at any time between two indexes.
func (f *faults) ledgerDown(from, to int) bool {
	for _, o := range f.outages {
		if o.struck < to && (o.mended == 0 || o.mended > from) {
			return true
		}
	}
	return false
}

// The close codes that a storm can bring about without the death of a node: a connect that the client had given up
// went on, and a session whose acknowledgements were all late.
const (
	closeReplaced    = 4409
	closeAcksNothing = 4410
)

// disconnected is wrong if a living server ended the session. That nothing can be stored is no reason either.
func (l *ledger) disconnected(e *Event, at int) {
	began := l.sessions[e.Device]
	switch {
	case e.Code == 0 || l.faults.dead[e.Node] || l.faults.died[e.Node] > began:
		return
	case e.Code == closeReplaced && l.gaveUp[e.Device]:
		return
	case e.Code == closeAcksNothing && !l.faults.ledgerDown(began, at):
		return
	}
	l.violated(Closed, e, nil, "the session of %s was ended by node %d, which lives: %d %s", e.Device, e.Node, e.Code, e.Note)
}

// acceptedWithoutLedger: what is sent when nothing can be stored gets no 0 before something can.
func (l *ledger) acceptedWithoutLedger(m *message, e *Event) {
	if l.faults.withoutLedger(m.firstSent) {
		l.violated(Invented, e, m, "%s was accepted while nothing could be stored", e.MsgID)
	}
}

const refusedByLedger = "storage_unavailable"

// refusedWithoutLedger: what is sent when nothing can be stored is refused with the code that says so.
func (l *ledger) refusedWithoutLedger(m *message, e *Event) {
	if l.faults.withoutLedger(m.lastSent) && !strings.HasSuffix(e.Note, refusedByLedger) {
		l.violated(Invented, e, m, "%s was refused with %s while nothing could be stored", e.MsgID, e.Note)
	}
}
