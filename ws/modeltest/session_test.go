package modeltest

import "time"

// session is what the model knows of a connection.
type session struct {
	openedIn int
	pushes   map[*record]*push
	heard    time.Time        // when an acknowledgement that counted was answered
	tried    map[*record]bool // acknowledgements of these were sent, whether they arrived or not
	spoke    time.Time        // when any acknowledgement was sent

	fresh     bool // the device is new to the ledger
	frozen    bool // the client does not read at the moment
	wasFrozen bool
	muteSince time.Time // since when the client says nothing, not even pong; zero: it speaks
	abandoned bool      // the client forgot it without a word
	replaced  bool
	leaving   bool // the client closed it, or the network did

	proofs map[proof]int  // 17s that came
	asked  map[proof]int  // and those that a sync or a repeat asked for
	owed   map[proof]bool // and those that are due
}

// push is a record on its way to one session.
type push struct {
	times       int
	first, last time.Time
}

// proof names a 17: r was acknowledged by that device.
type proof struct {
	r  *record
	by string // user/device
}

func newSession() *session {
	return &session{pushes: map[*record]*push{}, tried: map[*record]bool{}, proofs: map[proof]int{}, asked: map[proof]int{}, owed: map[proof]bool{}}
}

// healthy reports whether the client reads what comes.
func (s *session) healthy() bool { return !s.frozen && !s.abandoned && !s.leaving }
