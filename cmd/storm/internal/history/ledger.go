package history

import (
	"fmt"
	"time"
)

// message is what the log says of one message.
type message struct {
	id          messageID
	device      Device // that sent it
	to, body    string
	firstSent   int // index of the first attempt
	lastSent    int // of the last one so far
	firstSentAt time.Duration
	delay       time.Duration
	due         time.Duration // when a delayed one is to be sent at the latest; 0: nobody said that it waits
	cancelled   int           // index of the answer that it is not sent any more
	socket      bool
	rest        bool
	refused     bool          // at least once: then its place among the sender's others is open
	accepted    int           // index of the first 0; 0: none
	since       time.Duration // when that came
	original    bool          // a 0 that is no duplicate came
	position    Position
	shown       map[Device]bool
	acked       map[Device]int // index of the 16
	confirmed   int            // index of the first 16 of a recipient; 0: none
	proved      bool           // the sending device knows
	recall      *message       // its recall, a record of its own; nil: never tried
	recalls     *message       // of a recall: what it recalls
	denied      bool           // the server said that nobody acknowledged it, after a 16
}

// messageID is the sender's own key. The storm gives each msgid once in all, so the conversation need not be part of it.
type messageID struct{ sender, msgid string }

// place is where a device stands in a conversation.
type place struct {
	last      uint64          // the highest seq shown
	shown     []*message      // in order
	ackSent   map[uint64]bool // one by one
	through   uint64          // cumulative, sent
	confirmed int             // of shown: how many a cumulative 16 covers
}

type placeID struct {
	device       Device
	conversation string
}

// ledger is a log replayed. Index 0 stands for none, so positions in the log count from 1.
type ledger struct {
	report     *Report
	now        int        // index of the event that is replayed
	order      []*message // by first attempt
	messages   map[messageID]*message
	byPosition map[Position]*message
	places     map[placeID]*place
	devices    map[string][]Device // by user
	since      map[Device]int      // index of a device's first session
	sessions   map[Device]int      // of its last one so far
	began      map[Device]int      // index at which that was asked for
	v1         map[Device]bool     // knows frame 31
	recalls    []*message          // by first attempt
	readings   map[readingID]*reading
	readers    map[string]bool // users who read all of their histories
	gaveUp     map[Device]bool // a connect may still be under way somewhere
	faults     faults
}

func newLedger() *ledger {
	return &ledger{
		report:     &Report{},
		messages:   map[messageID]*message{},
		byPosition: map[Position]*message{},
		places:     map[placeID]*place{},
		devices:    map[string][]Device{},
		since:      map[Device]int{},
		sessions:   map[Device]int{},
		began:      map[Device]int{},
		v1:         map[Device]bool{},
		readings:   map[readingID]*reading{},
		readers:    map[string]bool{},
		gaveUp:     map[Device]bool{},
		faults:     faults{died: map[int]int{}, dead: map[int]bool{}},
	}
}

func (l *ledger) violated(class Class, e *Event, m *message, format string, args ...any) {
	v := Violation{Class: class, Text: fmt.Sprintf(format, args...)}
	if e != nil {
		v.event = l.now
		v.Device, v.MsgID, v.Position = e.Device, e.MsgID, e.Position
	}
	if m != nil {
		v.MsgID = m.id.msgid
		if v.Position.Seq == 0 {
			v.Position = m.position
		}
	}
	l.report.add(v)
}

// missing is a violation that more time may heal.
func (l *ledger) missing(class Class, m *message, d Device, format string, args ...any) {
	l.report.add(Violation{
		Class: class, Text: fmt.Sprintf(format, args...), MsgID: m.id.msgid, Position: m.position, Device: d, Open: true,
	})
}

func (l *ledger) place(d Device, conversation string) *place {
	id := placeID{d, conversation}
	p := l.places[id]
	if p == nil {
		p = &place{ackSent: map[uint64]bool{}}
		l.places[id] = p
	}
	return p
}

// stands notes where a message stands and finds positions that do not agree, each once.
func (l *ledger) stands(m *message, e *Event) {
	switch other := l.byPosition[e.Position]; {
	case other == m:
		return
	case other != nil:
		l.violated(ShownTwice, e, m, "%v holds both %s and %s", e.Position, other.id.msgid, m.id.msgid)
		return
	}
	l.byPosition[e.Position] = m
	if m.position.Seq != 0 {
		l.violated(ShownTwice, e, m, "%s stands at %v and at %v", m.id.msgid, m.position, e.Position)
		return
	}
	m.position = e.Position
}
