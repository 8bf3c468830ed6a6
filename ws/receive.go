package ws

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/olahol/melody"

	"github.com/yanlink/yanlink/ws/protocol"
)

// sessionKey is the one key of a melody session: written before the session exists, so that reading it needs no lock.
const sessionKey = "session"

func sessionOf(ms *melody.Session) *Session {
	s, _ := ms.Keys[sessionKey].(*Session)
	return s
}

// listen ties melody's callbacks to sessions. A panic in one ends its session only: melody itself would leave the
// session half alive (its melody.go has no defer).
func (g *Gateway) listen() {
	g.melody.HandleMessage(func(ms *melody.Session, data []byte) {
		if s := sessionOf(ms); s != nil {
			s.guard(func() { s.receive(data) })
		}
	})
	g.melody.HandleMessageBinary(func(ms *melody.Session, _ []byte) {
		if s := sessionOf(ms); s != nil {
			s.guard(s.receiveBinary)
		}
	})
	g.melody.HandleSentMessage(func(ms *melody.Session, _ []byte) {
		if s := sessionOf(ms); s != nil {
			s.guard(s.writer.sent)
		}
	})
	g.melody.HandleError(func(ms *melody.Session, err error) {
		// Nothing more is written then, so that nobody may wait for room. Errors of melody's own come from the writer.
		if s := sessionOf(ms); s != nil && !errors.Is(err, melody.ErrWriteClosed) && !errors.Is(err, melody.ErrMessageBufferFull) {
			s.writer.close()
		}
	})
	g.melody.HandlePong(func(ms *melody.Session) {
		if s := sessionOf(ms); s != nil {
			s.seen.Store(int64(g.mono()))
		}
	})
}

func (s *Session) guard(handle func()) {
	defer s.survive()
	handle()
}

// survive ends the session, and nothing beside it, when what is done for it panics. It is deferred before the session's lock
// is taken, so that the lock is free again when it runs.
func (s *Session) survive() {
	if cause := recover(); cause != nil {
		s.g.log.Error("panic in a session", "session", s.id, "cause", cause, "stack", string(debug.Stack()))
		s.close(protocol.CloseFault, "")
	}
}

// receive handles one text frame, in the session's reader goroutine.
func (s *Session) receive(data []byte) {
	s.seen.Store(int64(s.g.mono()))
	s.slow()
	if s.isClosing() || !s.writer.awaitRoom(s.g.opt.QueueBytes) {
		return
	}
	f := &s.frame
	err := protocol.Decode(data, f)
	if len(data) > s.g.opt.FrameBytes {
		err = protocol.NewError(protocol.TooLarge, "the frame is longer than this server takes")
	}
	if err != nil {
		s.unreadable(f.ID, f.MsgID, err)
		return
	}
	if counted(f.Type) {
		if tooFast := s.pace.take(1); tooFast != nil {
			s.failFrame(f.ID, f.MsgID, tooFast)
			return
		}
	}
	if err := s.handle(f); err != nil {
		if f.Type == protocol.TypeSend {
			s.g.opt.Metrics.Message(string(protocol.AsError(err).Code), 1)
		}
		s.failFrame(f.ID, f.MsgID, err)
	}
}

func (s *Session) receiveBinary() {
	s.seen.Store(int64(s.g.mono()))
	s.slow()
	if s.isClosing() || !s.writer.awaitRoom(s.g.opt.QueueBytes) {
		return
	}
	s.unreadable("", "", protocol.NewError(protocol.BinaryUnsupported, "frames are JSON in text frames"))
}

// unreadable answers a frame of which no more could be read than these. It counts for the rate limit, and beyond that is told only so.
func (s *Session) unreadable(id, msgid string, err error) {
	if tooFast := s.pace.take(1); tooFast != nil {
		err = tooFast
	}
	s.failFrame(id, msgid, err)
}

// failFrame answers a frame with an error that names its msgid, unless the error names another.
func (s *Session) failFrame(id, msgid string, err error) {
	coded := *protocol.AsError(err)
	coded.MsgID = cmp.Or(coded.MsgID, msgid)
	s.fail(id, &coded)
}

// counted reports whether frames of type t count for the rate limit: those that answer the server do not.
func counted(t protocol.Type) bool {
	switch t {
	case protocol.TypeAck, protocol.TypeHeartbeat, protocol.TypePing, protocol.TypeSync:
		return false
	}
	return true
}

// slow waits where frames come too fast to be read. What has come meanwhile waits in the client's socket.
func (s *Session) slow() {
	reading := s.pace.reading
	if reading == nil {
		return
	}
	for !reading.Allow() && s.g.serving.Err() == nil {
		pauseContext(s.g.serving, time.Duration(float64(time.Second)/float64(reading.Limit())))
	}
}

func (s *Session) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// handle does what a frame asks. Its error is answered with 500.
func (s *Session) handle(f *protocol.Frame) error {
	switch f.Type {
	case protocol.TypeSend:
		return s.receiveSend(f)
	case protocol.TypeAck:
		return s.receiveAck(f)
	case protocol.TypeSync:
		return s.receiveSync(f)
	case protocol.TypeRegister:
		return s.receiveRegister(f)
	case protocol.TypeHeartbeat:
		s.answer(protocol.TypeHeartbeatAck, f.ID)
	case protocol.TypePing:
		out := getFrame()
		out.b = protocol.AppendPong(out.b, f.ID)
		s.reply(out)
	case protocol.TypeRenew:
		return s.receiveRenew(f)
	case protocol.TypeWatch:
		return s.receiveWatch(f)
	case protocol.TypeSignal:
		return s.receiveSignal(f)
	case protocol.TypeRead:
		return s.receiveRead(f)
	case protocol.TypeRecall:
		return s.receiveRecall(f)
	default:
		return protocol.FieldError(protocol.UnknownType, "type", "no frame of this type comes from a client")
	}
	return nil
}

// answer sends a reply that says no more than that it worked.
func (s *Session) answer(t protocol.Type, id string) {
	f := getFrame()
	f.b = protocol.AppendReply(f.b, t, id)
	s.reply(f)
}

// receiveRegister handles frame 7 of old clients: it has to match the token's identity and cannot change it.
func (s *Session) receiveRegister(f *protocol.Frame) error {
	if f.OpenID != "" && f.OpenID != s.user {
		return protocol.FieldError(protocol.IdentityMismatch, "openid", "the token is another user's")
	}
	if f.LoginStatus == "0" {
		s.close(protocol.CloseNormal, "") // which is the answer: it overtakes any other
		return nil
	}
	s.answer(protocol.TypeRegister, f.ID)
	return nil
}

// receiveRenew handles frame 22: the session goes on under a newer token of the same user.
func (s *Session) receiveRenew(f *protocol.Frame) error {
	if s.g.opt.Authenticate == nil {
		return protocol.NewError(protocol.Forbidden, "tokens cannot be renewed here")
	}
	ctx, cancel := s.g.readContext()
	defer cancel()
	identity, err := s.g.opt.Authenticate(ctx, f.Token)
	switch {
	case errors.Is(err, ErrInvalidToken), err == nil && identity.OpenID != s.user:
		s.close(protocol.CloseTokenEnded, "the token is not valid for this session")
		return nil
	case errors.Is(err, errForbidden):
		s.close(protocol.CloseForbidden, "not allowed any more")
		return nil
	case err != nil:
		return protocol.NewError(protocol.SSOUnavailable, "the token cannot be checked now; the old one goes on")
	}
	s.locked(func() {
		s.token = f.Token
		s.recheckAt = s.g.nextRecheck(s.g.mono())
		s.g.wheel.arm(s, s.recheckAt)
	})
	s.answer(protocol.TypeRenew, f.ID)
	return nil
}

// receiveRecall handles frame 30.
func (s *Session) receiveRecall(f *protocol.Frame) error {
	ctx, cancel := s.g.readContext()
	defer cancel()
	op := &Recall{By: s.user, Record: Record{SenderDevice: s.device, Trigger: protocol.TriggerWebSocket}}
	if err := s.g.recall(ctx, op, f.MessageID); err != nil {
		return err
	}
	out := getFrame()
	out.b = protocol.AppendRecallDone(out.b, f.ID, f.MessageID)
	s.reply(out)
	return nil
}

// readContext bounds what a session's request waits for.
func (g *Gateway) readContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(g.serving, g.opt.CommitTimeout)
}
