package ws

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/olahol/melody"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Session is one live connection of a user's device.
//
// Locks: mu guards the window and the tracks; the writer and the committer have locks of their own, which may be taken
// while mu is held, never the other way round.
type Session struct {
	g         *Gateway
	id        string
	user      string
	name      string
	device    string
	newDevice bool
	v1        bool
	epoch     uint64
	since     Millis
	remote    string

	ms     *melody.Session
	writer *writer
	conn   *joinedConn
	ended  chan struct{} // closed when the session is out of the hub and its goroutines are done

	pace     pace          // the hub's to set; used by the reader only
	inFlight atomic.Int32  // requests that wait for their commit
	freed    chan struct{} // signals that inFlight fell
	frame    protocol.Frame
	watches  bool // it has asked for somebody's presence; the reader's, and of end after it

	up    atomic.Bool  // the handshake is done: there is a connection to cut
	gone  atomic.Bool  // closing, or over: another session of the device may be there
	seen  atomic.Int64 // the last inbound frame or pong, monotonic
	armed atomic.Int64 // the wheel's tick; 0: none

	mu        sync.Mutex
	window    window
	tracks    map[ConversationID]*track
	behind    []*track // unplaced or behind, in the order they fell behind
	scanned   bool     // the first read of the ledger is done
	scanAfter ConversationID
	lastAck   Millis // of anything, monotonic
	retryAt   Millis // when to read a ledger again that failed; 0: it did not
	flushAt   Millis // when to look for cursors that lag
	waiting   int    // tracks that keep early records
	working   bool   // in the work queue, or being worked on
	again     bool   // work came up meanwhile
	closing   bool
	closeBy   Millis // monotonic; when a closing session's connection is cut
	token     string
	recheckAt Millis
	proofAt   Millis // when to look for lost proofs
	seenAt    Millis // when to write last_seen again
	lagging   bool   // the slow pass has found something past a cursor
	unproved  []unproved
}

// locked runs what needs the lock. As everywhere, the lock is freed by a deferred call: one that a panic left locked would
// hold up the dispatcher and all that ever wants the session.
func (s *Session) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// push writes a record to the socket and enters it into the window. The caller holds mu and has made sure of room.
func (s *Session) push(t *track, rec *Record, shared []byte, path Path) (kick bool) {
	now := s.g.mono()
	p := pushed{rec: rec, track: t, prev: t.due, attempts: 1, first: now, due: now + s.g.resendAfter(1)}
	s.window.add(p)
	t.next = rec.Seq + 1
	t.due = rec.Seq
	s.g.wheel.arm(s, p.due)
	s.g.opt.Metrics.Pushed(path)
	return s.write(&p, shared)
}

func (s *Session) write(p *pushed, shared []byte) (kick bool) {
	f := getFrame()
	f.b = append(f.b, shared...)
	f.b = protocol.AppendMessageTail(f.b, protocol.Delivery{
		PrevSeq:     p.prev,
		Redelivered: p.attempts > 1,
		RequestID:   p.rec.RequestID,
		SessionID:   s.id,
		To:          s.user,
		Trigger:     s.g.trigger(p.rec.Trigger),
	})
	return s.writer.enqueue(f)
}

// cursor returns how far the device has had everything of t, and the highest due seq up to there. The caller holds mu.
func (s *Session) cursor(t *track) (seq, due uint64) {
	if low := s.window.lowest(t); low != nil {
		return low.rec.Seq - 1, low.prev
	}
	return t.next - 1, t.due
}

// reply sends a frame and lets it leave at once.
func (s *Session) reply(f *frame) {
	if s.writer.enqueue(f) {
		s.writer.kick()
	}
}

// fail answers a request with 500.
func (s *Session) fail(id string, err error) {
	coded := protocol.AsError(err)
	if coded.Code == protocol.Internal {
		s.g.log.Error("a request failed", "session", s.id, "error", coded.Error())
	}
	s.g.opt.Metrics.Refusal(string(coded.Code))
	f := getFrame()
	f.b = protocol.AppendError(f.b, id, coded)
	s.reply(f)
}

// hold counts a request that waits for its commit, and makes the reader wait while there are too many: a client that
// sends faster than the ledger writes is slowed down by its own connection.
func (s *Session) hold() bool {
	s.inFlight.Add(1)
	for int(s.inFlight.Load()) > s.g.opt.InFlight {
		select {
		case <-s.freed:
		case <-s.g.serving.Done():
			return false
		}
	}
	return true
}

// free ends what hold began.
func (s *Session) free() {
	s.inFlight.Add(-1)
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// replacedReason comes with protocol.CloseReplaced.
const replacedReason = "a newer session of the same device took over"

// close ends the session with a close code; the first code stands. It returns at once.
func (s *Session) close(code int, reason string) {
	by, first := s.beginClose()
	if !first {
		return
	}
	s.g.opt.Metrics.Closed(code)
	s.g.wheel.arm(s, by)
	s.writer.close()
	message := websocket.FormatCloseMessage(code, reason)
	s.g.wg.Go(func() {
		err := s.ms.WebsocketConnection().WriteControl(websocket.CloseMessage, message, time.Now().Add(closeGrace))
		if err != nil {
			s.cut()
		}
	})
}

// beginClose returns when the connection is to be cut, and whether nobody closed the session before.
func (s *Session) beginClose() (by Millis, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return 0, false
	}
	s.closing = true
	s.gone.Store(true)
	s.closeBy = s.g.mono() + millis(closeGrace)
	return s.closeBy, true
}

// closeGrace is how long the peer has to take a close frame and to answer it before the connection is cut.
const closeGrace = time.Second

// cut ends the connection without a word. One whose handshake is under way is closed by begin, which sees the state.
func (s *Session) cut() {
	if s.up.Load() {
		_ = s.conn.Conn.Close()
	}
}
