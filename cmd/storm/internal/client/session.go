package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	handshakeTimeout = 10 * time.Second
	writeTimeout     = 10 * time.Second
	// hasty is the share of connections that are dropped while the server is still catching up.
	hasty     = 0.2
	hastyWait = 10 * time.Millisecond
	// idleLook is how often a session looks for something to do when nothing calls it.
	idleLook = 200 * time.Millisecond
)

// session is one connection. The device's loop writes, one goroutine reads.
type session struct {
	d    *Device
	n    int // which session of the device
	conn *websocket.Conn
	over chan struct{} // closed when the reader is done

	newDevice bool // says the hello
	code      int  // of the close; set before over is closed

	syncs   map[int]syncAsked
	recalls map[int]*recall
	nextID  int
	syncAt  time.Time
	dropAt  time.Time
}

// session connects once and stays as long as it lasts. It reports whether a session stood.
func (d *Device) session(ctx context.Context) bool {
	s, err := d.connect(ctx)
	if err != nil {
		d.gaveUp(err)
		return false
	}
	d.connected.Store(true)
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read()
	}()
	reason := s.run(ctx)
	d.connected.Store(false)
	_ = s.conn.NetConn().Close()
	<-read
	event := history.Event{Kind: history.Disconnected, Device: d.Device, Node: d.node + 1, Note: reason}
	if reason == cutOff {
		event.Code = s.code
	}
	d.Log.Add(event)
	d.forget()
	return true
}

// gaveUp notes a connect that got no answer: it may have reached the server and go on there.
func (d *Device) gaveUp(err error) {
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, websocket.ErrBadHandshake) {
		d.Log.Add(history.Event{Kind: history.GaveUp, Device: d.Device, Node: d.node + 1, Note: err.Error()})
	}
}

func (d *Device) connect(ctx context.Context) (*session, error) {
	began := d.Log.Len()
	query := url.Values{"token": {d.Token}, "device": {d.Device.Name}}
	if d.Habits.V1 {
		query.Set("v", "1")
	}
	dialer := websocket.Dialer{HandshakeTimeout: handshakeTimeout}
	conn, resp, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(d.Nodes[d.node], "http")+"/ws?"+query.Encode(), nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	s := &session{d: d, conn: conn, over: make(chan struct{}), syncs: map[int]syncAsked{}, recalls: map[int]*recall{}}
	event := history.Event{Kind: history.Connected, Device: d.Device, Node: d.node + 1, V1: d.Habits.V1, Asked: began}
	if d.Habits.V1 {
		if err := s.hello(); err != nil {
			_ = conn.Close()
			return nil, err
		}
		event.New = s.newDevice
	}
	d.Log.Add(event)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessionCount++
	s.n = d.sessionCount
	s.syncAt = time.Now()
	if every := d.Habits.DropEvery; every > 0 {
		wait := every/4 + d.around(every)
		if d.chance(hasty) {
			wait = time.Duration(d.rand.Int64N(int64(hastyWait)))
		}
		s.dropAt = time.Now().Add(wait)
	}
	for _, p := range d.places {
		p.acked = 0
	}
	return s, nil
}

// hello reads the first frame of a yanlink.v1 session.
func (s *session) hello() error {
	_ = s.conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	_, data, err := s.conn.ReadMessage()
	if err != nil {
		return err
	}
	_, kind, params, err := decode(data)
	if err != nil {
		return err
	}
	if kind != "33" {
		s.d.unexpected("frame " + kind + " before the hello")
	}
	s.newDevice = params.NewDevice
	return s.conn.SetReadDeadline(time.Time{})
}

// read handles what comes until the connection ends.
func (s *session) read() {
	defer close(s.over)
	for {
		_, data, err := s.conn.ReadMessage()
		if err != nil {
			s.closed(err)
			return
		}
		s.receive(data)
	}
}

// closed notes how the connection ended, and heeds what a close frame asks for.
func (s *session) closed(err error) {
	s.code = websocket.CloseAbnormalClosure
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code == websocket.CloseAbnormalClosure {
		return
	}
	s.code = closed.Code
	var hint struct {
		RetryAfterMs int `json:"retryAfterMs"`
	}
	_ = json.Unmarshal([]byte(closed.Text), &hint)
	s.d.mu.Lock()
	s.d.retryAfter = time.Duration(hint.RetryAfterMs) * time.Millisecond
	s.d.mu.Unlock()
}

// cutOff is what run says of a connection that the other side ended.
const cutOff = "cut off"

// run writes what is due until the connection ends, and says why it did.
func (s *session) run(ctx context.Context) string {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		if !s.dropAt.IsZero() && now.After(s.dropAt) && !s.d.calm.Load() {
			return "drops its connection"
		}
		for _, frame := range s.due(now) {
			_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if err := s.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
				return s.unwritable(err)
			}
		}
		timer.Reset(max(time.Millisecond, time.Until(s.next(now))))
		select {
		case <-timer.C:
		case <-s.d.wake:
		case <-s.over:
			return cutOff
		case <-ctx.Done():
			s.goodbye()
			return "leaves"
		}
	}
}

// unwritable says why nothing can be written: nobody reads there, or the reader finds the end as well.
func (s *session) unwritable(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "cannot write in time"
	}
	<-s.over
	return cutOff
}

func (s *session) goodbye() {
	message := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = s.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(time.Second))
}

// due returns the frames whose time has come: first what keeps the server's window open, then repeats in the order of
// their first sending, then what is new.
func (s *session) due(now time.Time) [][]byte {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	var frames [][]byte
	frames = s.dueSync(frames, now)
	frames = s.dueAcks(frames, now)
	frames = s.dueRepeats(frames, now)
	frames = s.dueRecalls(frames, now)
	return s.dueSends(frames, now)
}

// next returns when to look again at the latest.
func (s *session) next(now time.Time) time.Time {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	next := now.Add(idleLook)
	for i := range s.d.acks {
		if at := s.d.acks[i].at; at.Before(next) {
			next = at
		}
	}
	if at := s.d.nextSend; at.After(now) && at.Before(next) {
		next = at
	}
	return next
}

// id returns the id for the next request; old clients give none.
func (s *session) id() int {
	if !s.d.Habits.V1 {
		return 0
	}
	s.nextID++
	return s.nextID
}

// forget drops what goes down with the connection.
func (d *Device) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Habits.ForgetAcks && !d.calm.Load() {
		d.acks = nil
	}
}

func (d *Device) unexpected(note string) {
	d.Log.Add(history.Event{Kind: history.Unexpected, Device: d.Device, Note: note})
}
