package ws

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/olahol/melody"

	"github.com/yanlink/yanlink/ws/protocol"
)

// idleDevice is how long a device must have been unused to give way when a user has too many.
const idleDevice = 7 * 24 * time.Hour

// Connect turns an authenticated request into a session. It returns once the socket belongs to the session, so that the
// HTTP handler and all it holds can go; or with a *protocol.Error to be answered as HTTP. Whatever the handler wrote to
// w's header goes into the 101 response.
//
// The order is design.md's: device epoch raised, hub entry, route in the registry, first read of the ledger.
func (g *Gateway) Connect(w http.ResponseWriter, r *http.Request, c ConnectRequest) error {
	c.Device = deviceOrDefault(c.Device)
	if err := g.admissible(r, c.Device); err != nil {
		return err
	}
	opened := AdmissionFrom(r.Context()).take(&c)
	if opened == nil {
		if g.crowded(&c) {
			return protocol.NewError(protocol.RateLimited, "this user has too many sessions")
		}
		var err error
		if opened, err = g.openDevice(r.Context(), &c, nil); err != nil {
			return err
		}
	}
	return g.upgrade(w, r, g.newSession(r, &c, opened))
}

// crowded reports whether a new session would be one too many; one that replaces its own device's is not.
func (g *Gateway) crowded(c *ConnectRequest) bool {
	limit := g.opt.SessionsPerUser
	if limit <= 0 {
		return false
	}
	sessions := g.hub.sessions(c.Identity.OpenID)
	for _, s := range sessions {
		if s.device == c.Device {
			return false
		}
	}
	return len(sessions) >= limit
}

func (g *Gateway) allowOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	return g.opt.AllowOrigin != nil && g.opt.AllowOrigin(origin, r.Host)
}

// openDevice raises the device's epoch; accept, if not nil, is a token to be recorded with it.
func (g *Gateway) openDevice(ctx context.Context, c *ConnectRequest, accept *AcceptToken) (*OpenDevice, error) {
	now := g.now()
	open := &OpenDevice{
		Accept: accept, User: c.Identity.OpenID, Name: c.Identity.Name, Device: c.Device, At: now, FirstEpoch: g.firstEpoch(now),
		MaxDevices: max(0, g.opt.DevicesPerUser), IdleSince: now - millis(idleDevice),
	}
	if err := g.write(ctx, open); err != nil {
		return nil, err
	}
	if open.Dropped != "" {
		g.evict(open.User, open.Dropped)
	}
	return open, nil
}

// firstEpoch is what the epoch of a new device counts from: the time, so that one that was dropped and comes again is above what it
// was, which the registry may still know, and that much more as a new epoch of the ledger added to those that there were.
func (g *Gateway) firstEpoch(now Millis) uint64 {
	return uint64(max(0, now)) + (g.store.Info().Epoch-1)*EpochStep
}

// evict ends the session of a device that gave way to another.
func (g *Gateway) evict(user, device string) {
	for _, s := range g.hub.sessions(user) {
		if s.device == device {
			s.close(protocol.CloseOverload, "the user has too many devices")
		}
	}
}

func (g *Gateway) newSession(r *http.Request, c *ConnectRequest, opened *OpenDevice) *Session {
	now := g.now()
	mono := g.mono()
	s := &Session{
		g: g, user: c.Identity.OpenID, name: c.Identity.Name, device: c.Device, newDevice: opened.Created, v1: c.V1,
		epoch: opened.Epoch, since: now, remote: r.RemoteAddr, conn: &joinedConn{}, token: c.Token,
		id:      g.ids.next(c.Identity.OpenID, now),
		ended:   make(chan struct{}),
		freed:   make(chan struct{}, 1),
		tracks:  make(map[ConversationID]*track),
		window:  window{maxCount: g.opt.Window, maxBytes: g.opt.WindowBytes},
		working: true, // until read
	}
	s.writer = newWriter()
	s.conn.writer = s.writer
	s.conn.greeting.Store(s.v1)
	s.seen.Store(int64(mono))
	s.proofAt = mono + millis(g.opt.ProofEvery)
	s.seenAt = mono + s.seenEvery()
	s.flushAt = mono + millis(g.opt.CursorEvery)
	if g.opt.Authenticate != nil && c.Token != "" {
		s.recheckAt = mono + min(firstRecheck, millis(g.opt.RecheckEvery))
	}
	g.names.put(s.user, s.name)
	return s
}

// upgrade runs melody's handler in a goroutine of its own and returns as soon as the session stands, which frees the
// HTTP handler's stack, buffers and context: a third of what an idle connection costs.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, s *Session) error {
	up := make(chan struct{})
	over := make(chan error, 1)
	if !g.open.enter(s) {
		return errStopped
	}
	go g.serve(w, r, s, up, over)
	select {
	case <-up:
		return nil
	case err := <-over:
		if s.conn.Conn != nil {
			return nil // gone already; there is nobody to answer
		}
		if err == nil {
			err = melody.ErrClosed
		}
		// gorilla/websocket has answered the bad handshake itself.
		return &HandshakeError{cause: err}
	}
}

// serve is a session's goroutine from the handshake to the end. It is no closure, since that would hold the request for as
// long as the session lives.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, s *Session, up chan struct{}, over chan<- error) {
	defer g.open.leave(s)
	err := g.melody.HandleRequestWithKeys(&hijacker{ResponseWriter: w, conn: s.conn}, r, map[string]any{sessionKey: s, connectedKey: up})
	s.end()
	over <- err
}

// connectedKey holds the channel that is closed when the session stands.
const connectedKey = "connected"

// HandshakeError says that an upgrade failed and has been answered already.
type HandshakeError struct{ cause error }

// Error returns what was wrong with the handshake.
func (e *HandshakeError) Error() string { return "the WebSocket handshake failed: " + e.cause.Error() }

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.cause }

// connected is melody's HandleConnect: it runs before anything is written or read.
func (g *Gateway) connected(ms *melody.Session) {
	s := sessionOf(ms)
	up, _ := ms.Keys[connectedKey].(chan struct{})
	delete(ms.Keys, connectedKey)
	defer close(up)
	// Nothing of the request is needed any more, and it holds on to a good deal.
	ms.Request = nil
	s.ms = ms
	s.writer.ms = ms
	s.up.Store(true)
	s.guard(s.begin)
}

// begin enters the session into the hub and starts the first read of the ledger.
func (s *Session) begin() {
	s.g.opt.Metrics.Session(1)
	if s.v1 {
		s.conn.greeting.Store(false)
		s.greet()
	}
	if replaced := s.g.hub.add(s); replaced != nil {
		replaced.close(protocol.CloseReplaced, replacedReason)
	}
	s.g.wheel.arm(s, s.g.mono()) // the first tick finds out when to look again
	if c := s.g.cluster; c != nil {
		c.routes.put(s)
	} else {
		s.read()
	}
	if s.g.state.Load() != stateRunning {
		s.close(protocol.CloseRestart, "")
	}
}

// read begins the first read of the ledger. Until then the session counts as working, so that nothing else does.
func (s *Session) read() {
	s.g.watch.noteHere(s.user)
	if o := s.g.outbox; o != nil {
		o.presences.connected(s.user)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working = false
	s.checkProofsNow()
	s.schedule()
}

func (s *Session) greet() {
	f := getFrame()
	f.b = protocol.AppendHello(f.b, protocol.Hello{
		SessionID: s.id, OpenID: s.user, Device: s.device, NewDevice: s.newDevice, Epoch: s.g.epoch,
		HeartbeatSeconds: int(s.g.opt.HeartbeatEvery.Seconds()), FrameBytes: s.g.opt.FrameBytes, Window: s.g.opt.Window,
		At: int64(s.since),
	})
	s.reply(f)
}

// end undoes what begin did, once melody's goroutines are done with the session. One whose handshake failed after the
// connection was taken over never began.
func (s *Session) end() {
	if s.conn.Conn == nil {
		return // never upgraded
	}
	s.writer.close()
	s.g.hub.remove(s)
	if c := s.g.cluster; c != nil {
		c.routes.remove(s)
	}
	s.g.watch.note(s.user)
	if s.watches {
		s.g.watch.ended(s)
	}
	if o := s.g.outbox; o != nil {
		o.presences.disconnected(s.user)
	}
	if s.up.Load() {
		s.g.opt.Metrics.Session(-1)
	}
	s.leave()
	s.g.leftDevice(s)
	close(s.ended)
	s.conn.release()
}

// leave writes how far the session has come, and lets go of what it held.
func (s *Session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	s.gone.Store(true)
	s.closeBy = 0
	for _, t := range s.tracks {
		s.flush(t)
	}
	s.tracks = nil
	s.behind = nil
	s.window = window{}
	s.unproved = nil
}
