package modeltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/yanlink/yanlink/ws"
)

// do begins an operation; what comes of it is looked at when the step is over.
func (w *world) do(o op) {
	c := w.clients[o.who]
	switch o.kind {
	case "wait":
		time.Sleep(time.Duration(o.a) * time.Millisecond)
		return
	case "restart":
		w.restart()
		return
	case "connect":
		w.connect(c)
		return
	case "rest":
		w.sendRest(c, o)
		return
	}
	k := c.conn
	if k == nil {
		return
	}
	switch o.kind {
	case "close":
		k.leaving, c.conn = true, nil
		_ = k.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
	case "cut":
		k.leaving, c.conn = true, nil
		k.pipe.cut()
	case "vanish":
		k.abandoned, c.conn = true, nil
		w.quieten(k)
		k.pipe.freeze(true)
	case "freeze":
		k.frozen, k.wasFrozen = true, true
		w.quieten(k)
		k.pipe.freeze(true)
	case "thaw":
		k.frozen = false
		k.pipe.freeze(false)
	case "mute":
		if k.muteSince.IsZero() {
			k.muteSince = time.Now()
			k.mute.Store(true)
			w.quieten(k)
		}
	default:
		if !k.frozen && k.muteSince.IsZero() {
			w.speak(k, o)
		}
	}
}

// quieten notes that the server may end k's session from now on.
func (w *world) quieten(k *conn) {
	if d := w.device(k); d.quiet.IsZero() {
		d.quiet = time.Now()
	}
}

func (w *world) speak(k *conn, o op) {
	switch o.kind {
	case "send", "reuse", "repeat", "conflict", "spoof":
		w.send(k, o)
	case "recall", "unrecall":
		if !w.ill { // of a recall that nobody is told of, a window learns late
			w.recall(k, o)
		}
	}
	if k.openedIn == w.model.step {
		return // what it has been shown is looked at when the step is over
	}
	switch o.kind {
	case "ack":
		w.ackShown(k, o, 1)
	case "ackMany":
		w.ackShown(k, o, 12)
	case "ackAll":
		w.ackShown(k, o, 1000)
	case "ackAgain":
		w.ackAgain(k, o)
	case "ackUpTo":
		w.ackUpTo(k, o)
	case "forge":
		w.forge(k, o)
	case "sync":
		w.sync(k, o)
	}
}

func (w *world) nextID() string {
	w.serial++
	return fmt.Sprintf("r%d", w.serial)
}

// opening is an attempt to connect.
type opening struct {
	client *client
	conn   *conn // nil if it failed
	status int
	low    map[*thread]uint64
	at     time.Time
	before device // what was known of the device
}

func (w *world) connect(c *client) {
	d := w.model.devices[c.String()]
	o := &opening{client: c, low: w.model.lowStarts(c.user), at: time.Now(), before: *d}
	w.created = append(w.created, o)
	k, status, err := c.dial(w.node)
	o.status = status
	if err != nil {
		w.logf("%s could not connect: %d %v", c, status, err)
		return
	}
	if c.conn != nil {
		c.conn.replaced = true
		c.conn.pipe.freeze(false)
		c.conn.frozen = false
	}
	k.openedIn = w.model.step
	d.quiet, d.ended = time.Time{}, time.Time{}
	o.conn, c.conn = k, k
	w.conns = append(w.conns, k)
}

// sending is a message on its way, by socket or by REST.
type sending struct {
	conn                *conn // nil: REST
	step                int
	id                  string
	user, device        string
	to, body, msgid     string
	reply               *frame
	result              chan ws.SendResult // of REST; empty if it failed
	accepted, duplicate bool
	code, messageID     string
	answered            bool
	record              *record
}

func (s *sending) String() string {
	return fmt.Sprintf("%s: %s/%s to %s msgid %q %q", s.id, s.user, s.device, s.to, s.msgid, clip(s.body))
}

func clip(body string) string {
	if len(body) > 12 {
		return body[:12] + "…"
	}
	return body
}

// recipient chooses whom a user writes to: mostly a few neighbours.
func (w *world) recipient(user string, n uint32) string {
	var self int
	_, _ = fmt.Sscanf(user, "u%d", &self)
	switch {
	case n < 600:
		return fmt.Sprintf("u%d", (self+1)%users)
	case n < 750:
		return fmt.Sprintf("u%d", (self+users-1)%users)
	case n < 850:
		return fmt.Sprintf("u%d", (self+2)%users)
	case n < 900:
		return user
	case n < 920:
		return "nobody"
	}
	return fmt.Sprintf("u%d", n%users)
}

func (w *world) body(n uint32) string {
	w.serial++
	body := fmt.Sprintf("b%d.", w.serial)
	switch {
	case n%7 == 0:
		body += strings.Repeat("x", int(n)%500)
	case n%97 == 1:
		body += strings.Repeat("y", 3000)
	}
	return body
}

func (w *world) send(k *conn, o op) {
	c := k.client
	s := &sending{conn: k, user: c.user, device: c.device, to: w.recipient(c.user, o.a), body: w.body(o.b)}
	w.serial++
	if o.c%4 > 0 {
		s.msgid = fmt.Sprintf("k%d", w.serial)
	}
	switch o.kind {
	case "send":
	case "spoof": // a msgid that is the id of a message which the recipient is to get from somebody else
		if s.msgid = w.foreignID(s.user, s.to, o.c); s.msgid == "" || w.used(s) {
			return
		}
	default:
		old := w.earlier(c.user, o.a)
		if old == nil || w.copyNamed(c.user, old.msgid) {
			return
		}
		s.msgid = old.msgid
		switch o.kind {
		case "repeat":
			s.to, s.body = old.to, old.body
		case "conflict":
			s.to = old.to
		}
	}
	w.issue(s)
	k.write(1, s.id, map[string]any{"toMessageId": s.to, "message": s.body, "fileType": 0, "msgid": s.msgid, "isretry": o.kind == "repeat"})
}

func (w *world) issue(s *sending) {
	s.id, s.step = w.nextID(), w.model.step
	w.sent = append(w.sent, s)
	w.asks = append(w.asks, s)
	w.logf("send %s", s)
}

// foreignID names a record, or one that is to come, of a thread of to's that user is not in.
func (w *world) foreignID(user, to string, n uint32) string {
	threads := slices.DeleteFunc(w.model.threadsOf(to), func(t *thread) bool { return t.has(user) })
	if len(threads) == 0 {
		return ""
	}
	t := threads[int(n)%len(threads)]
	return fmt.Sprintf("%s%016x", t.id, t.last()+1-uint64(n)%min(4, t.last()+1))
}

// used reports whether the sender has used this msgid before.
func (w *world) used(s *sending) bool {
	return slices.ContainsFunc(w.sent, func(old *sending) bool { return old.user == s.user && old.msgid == s.msgid })
}

// earlier chooses a message of user, with a msgid, that was tried before, the late ones more often.
func (w *world) earlier(user string, n uint32) *sending {
	var own []*sending
	for _, s := range w.sent {
		if s.user == user && s.msgid != "" {
			own = append(own, s)
		}
	}
	if len(own) == 0 {
		return nil
	}
	if n%2 == 0 {
		own = own[max(0, len(own)-3):]
	}
	return own[int(n)%len(own)]
}

// sendRest sends without a connection, as REST does.
func (w *world) sendRest(c *client, o op) {
	s := &sending{user: c.user, to: w.recipient(c.user, o.a), body: w.body(o.b), result: make(chan ws.SendResult, 1)}
	if o.c%2 == 0 {
		w.serial++
		s.msgid = fmt.Sprintf("k%d", w.serial)
	}
	if old := w.earlier(c.user, o.a); o.c%3 == 0 && old != nil {
		s.to, s.body, s.msgid = old.to, old.body, old.msgid
	}
	w.issue(s)
	gateway := w.node.gateway
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		result, err := gateway.Send(ctx, ws.Draft{From: s.user, To: []string{s.to}, Body: s.body, MsgID: s.msgid})
		if err != nil {
			result.Results = nil
		}
		s.result <- result
	}()
}

// recalling is frame 30.
type recalling struct {
	conn   *conn
	id     string
	named  string
	target *record // nil: there is no such message
	age    time.Duration
	reply  *frame
}

func (w *world) recall(k *conn, o op) {
	user := k.client.user
	var own, others []*record
	for _, t := range w.model.sortedThreads() {
		for _, r := range t.records {
			if r.sender == user && r.recalls == nil {
				own = append(own, r)
			} else {
				others = append(others, r)
			}
		}
	}
	candidates := own
	if o.kind == "unrecall" {
		candidates = others
	} else if o.b%4 > 0 && len(own) > 4 {
		candidates = own[len(own)-4:]
	}
	x := &recalling{conn: k, id: w.nextID(), named: fmt.Sprintf("%016x%016x", 4711, 1)}
	if len(candidates) > 0 {
		x.target = candidates[int(o.a)%len(candidates)]
		x.named = x.target.id()
		x.age = time.Since(x.target.at)
	}
	w.asks = append(w.asks, x)
	w.logf("recall %s by %s of %v", x.id, k.client, x.target)
	k.write(30, x.id, map[string]any{"messageId": x.named})
}
