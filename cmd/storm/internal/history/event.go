// Package history is the storm's own account of what happened, kept outside the server and checked without its help.
//
// A Log holds what the clients saw, in an order that respects causes: a client notes what it does before it does it,
// and what it sees after it saw it. Check replays a log and names every promise that was broken.
package history

import (
	"sync"
	"time"
)

// Device names a client: one device of one user.
type Device struct{ User, Name string }

// String returns user/name.
func (d Device) String() string { return d.User + "/" + d.Name }

// Position is where a message stands: its conversationId, as on the wire, and its seq.
type Position struct {
	Conversation string
	Seq          uint64
}

// Kind says what an Event is about. The fields beside it are those that count.
type Kind uint8

// What a client can see or do.
const (
	Connected     Kind = iota + 1 // Device, Node, New, V1, Asked
	Disconnected                  // Device, Node, Code, Note
	GaveUp                        // Device, Node, Note: a connect that got no answer in time
	Sent                          // Device, Door, MsgID, To, Body, Delay: one attempt, noted before it
	Accepted                      // Device, Door, MsgID, Position, Duplicate: a 0
	Refused                       // Device, Door, MsgID, Note, Final
	Scheduled                     // Device, MsgID: a delayed message waits in the server
	Cancelled                     // Device, MsgID: it is not sent any more
	Shown                         // Device, From, MsgID, Body, Position, PrevSeq: the first time this device got this position; of a 31: Device, Position, PrevSeq, Target
	Repeated                      // likewise, of a position the device had been shown and dropped
	AckSent                       // Device, Position, Through, noted before it
	Acked                         // Device, Position, Through: a 16, or the mark of a sync that was taken
	Proved                        // Device, Door, Position, By: a 17, or REST's word
	Waiting                       // Device, Position, Asked: a sync says that nobody acknowledged it
	Gone                          // Device, Position: a sync says that there is no such message
	MarkRefused                   // Device, Position, Note: a sync refused a mark of what had been shown
	Life                          // Device, Position, Note, Devices, Asked: the server's own account of a message, by REST
	RecallSent                    // Device, Door, MsgID, Position of the message: one attempt, noted before it
	Recalled                      // likewise: it was answered
	RecallRefused                 // likewise, Note, Final
	Read                          // Device, Position, From, MsgID, Body, Note: a position of a history, read when all was quiet; Note says its kind
	ReadAll                       // Device: its user's histories were read to their ends, all that the server lists
	Unexpected                    // Device, Note: a frame that a server may not send
	Struck                        // Note, Node, Ledger: a fault, noted before it begins
	Down                          // likewise: what was struck does nothing any more
	Mending                       // likewise, noted before what was struck may begin to work again
	Mended                        // likewise: it works again
	kinds
)

// Door is the way a request went.
type Door uint8

// The ways into the server.
const (
	Socket Door = iota
	REST
)

// Event is one thing that a client saw or did. Which fields count depends on Kind.
type Event struct {
	At        time.Duration // since the log began
	Kind      Kind
	Device    Device // who saw it
	Door      Door
	MsgID     string
	From, To  string // openids
	Body      string
	Position  Position
	PrevSeq   uint64
	Delay     time.Duration // how long a message is to wait in the server
	Target    Position      // what a 31 says was recalled
	By        Device        // who acknowledged
	Devices   []Device
	Asked     int // how long the log was when the question went out
	Note      string
	Through   bool // everything up to Position, not only what stands there
	Duplicate bool
	New       bool // the server did not know the device
	V1        bool // the session knows frame 31
	Final     bool // the same request will never succeed
	Node      int  // the one a session was on, or whose process died with a fault; 0: none
	Code      int  // the server's close code, 1006 where there was none; 0: the client itself ended the session
	Ledger    bool // nothing can be stored while the fault lasts
}

// Log is a list of events that only grows. It is safe for concurrent use.
type Log struct {
	began  time.Time
	mu     sync.Mutex
	events []Event
	counts [kinds]int
}

// NewLog returns an empty log that begins now.
func NewLog() *Log { return &Log{began: time.Now()} }

// Add appends an event and stamps it with the time since the log began. It returns how long the log is.
func (l *Log) Add(e Event) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.At = time.Since(l.began)
	l.events = append(l.events, e)
	l.counts[e.Kind]++
	return len(l.events)
}

// Len returns how many events there are.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

// Count returns how many events of a kind there are.
func (l *Log) Count(k Kind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[k]
}

// Events returns what was noted so far. The slice must not be changed.
func (l *Log) Events() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events[:len(l.events):len(l.events)]
}
