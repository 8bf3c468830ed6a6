package tempest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

// inProcess is a server without a process: to kill it is to cut its connections and to take its ledger away from it.
// What a process leaves on a disk, only the real storm can tell; this one tries the storm itself.
type inProcess struct {
	store   *wstest.MemStore
	spoil   func([]ws.Op) // changes what is committed; may be nil
	id      string
	link    *link // to the others; nil: it is alone
	address string
	gateway *ws.Gateway
	ledger  *mortal
	http    *http.Server
	conns   *conns
}

// mortal is a ledger that can be taken away.
type mortal struct {
	ws.Store
	spoil func([]ws.Op)
	mu    sync.Mutex
	dead  bool
}

func (m *mortal) Commit(ctx context.Context, ops []ws.Op) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return ws.ErrUnavailable
	}
	if m.spoil != nil {
		m.spoil(ops)
	}
	return m.Store.Commit(ctx, ops)
}

// conns remembers the connections of a listener, to cut them.
type conns struct {
	net.Listener
	mu   sync.Mutex
	open []net.Conn
}

func (c *conns) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		c.open = append(c.open, conn)
		c.mu.Unlock()
	}
	return conn, err
}

func (c *conns) cut() {
	_ = c.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		_ = conn.Close()
	}
}

func (s *inProcess) Start(ctx context.Context) error {
	if s.address == "" {
		s.address = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	s.address = l.Addr().String()
	s.conns = &conns{Listener: l}
	s.ledger = &mortal{Store: s.store, spoil: s.spoil}
	options := ws.Options{
		NodeID: s.id, Advertise: s.address, FramesPerSecond: -1, DrainSpread: time.Millisecond, ResendAfter: time.Second,
		CommitTimeout: time.Second, // a session that waits for a ledger that was taken away holds up the kill that long
	}
	s.link.open(&options)
	if s.gateway, err = ws.New(s.ledger, options); err != nil {
		return err
	}
	mux, answers := http.NewServeMux(), api{s.gateway}
	mux.HandleFunc("GET /ws", answers.connect)
	mux.HandleFunc("POST /api/v1/messages", answers.send)
	mux.HandleFunc("GET /api/v1/messages/{id}", answers.life)
	mux.HandleFunc("DELETE /api/v1/messages/{id}", answers.recall)
	mux.HandleFunc("DELETE /api/v1/scheduled/{id}", answers.cancel)
	mux.HandleFunc("GET /api/v1/conversations", answers.conversations)
	mux.HandleFunc("GET /api/v1/conversations/{id}/messages", answers.history)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func(server *http.Server, l net.Listener) { _ = server.Serve(l) }(s.http, s.conns)
	return s.gateway.Start(ctx)
}

func (s *inProcess) Kill() error {
	s.ledger.mu.Lock()
	s.ledger.dead = true
	s.ledger.mu.Unlock()
	s.conns.cut()
	s.link.cut()
	return s.end()
}

func (s *inProcess) Stop() error { return errors.Join(s.end(), s.http.Close()) }

func (s *inProcess) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.gateway.Stop(ctx)
}

// api is what one life of a server answers; some of it may still run when the next one begins.
type api struct{ gateway *ws.Gateway }

func user(r *http.Request) string {
	if token := r.URL.Query().Get("token"); token != "" {
		return token
	}
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func answer(w http.ResponseWriter, body any, err error) {
	if coded := protocol.AsError(err); coded != nil {
		w.WriteHeader(coded.Code.Status())
		body = map[string]any{"error": map[string]any{"code": coded.Code}}
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (a api) connect(w http.ResponseWriter, r *http.Request) {
	err := a.gateway.Connect(w, r, ws.ConnectRequest{
		Identity: ws.Identity{OpenID: user(r)}, Device: r.URL.Query().Get("device"), V1: r.URL.Query().Get("v") == "1",
	})
	if coded := (*protocol.Error)(nil); errors.As(err, &coded) {
		answer(w, nil, coded)
	}
}

func (a api) send(w http.ResponseWriter, r *http.Request) {
	var body struct {
		To      []string
		Message string
		MsgID   string
		Delay   int `json:"delaySeconds"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		answer(w, nil, err)
		return
	}
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		body.MsgID = key
	}
	sent, err := a.gateway.Send(r.Context(), ws.Draft{From: user(r), To: body.To, Body: body.Message, MsgID: body.MsgID, Delay: time.Duration(body.Delay) * time.Second})
	if err != nil || sent.Results[0].Err != nil {
		answer(w, nil, errors.Join(err, sent.Results[0].Err))
		return
	}
	result := sent.Results[0]
	if result.Scheduled != nil {
		answer(w, map[string]any{"results": []any{map[string]any{"status": "scheduled", "scheduledId": result.Scheduled.String()}}}, nil)
		return
	}
	status := "accepted"
	if result.Duplicate {
		status = "duplicate"
	}
	answer(w, map[string]any{"results": []any{map[string]any{
		"status": status, "messageId": result.MessageID.String(),
		"conversationId": result.MessageID.Conversation.String(), "seq": result.MessageID.Seq,
	}}}, nil)
}

func (a api) life(w http.ResponseWriter, r *http.Request) {
	id, _ := protocol.ParseMessageID(r.PathValue("id"))
	life, err := a.gateway.Message(r.Context(), user(r), id)
	var recipients []any
	for _, one := range life.Recipients {
		var devices []any
		for _, d := range one.Devices {
			devices = append(devices, map[string]any{"device": d.Device})
		}
		recipients = append(recipients, map[string]any{"openid": one.OpenID, "devices": devices})
	}
	answer(w, map[string]any{"state": life.State, "recipients": recipients}, err)
}

func (a api) recall(w http.ResponseWriter, r *http.Request) {
	id, _ := protocol.ParseMessageID(r.PathValue("id"))
	answer(w, map[string]any{}, a.gateway.Recall(r.Context(), user(r), false, id))
}

func (a api) cancel(w http.ResponseWriter, r *http.Request) {
	ref, _ := ws.ParseScheduledRef(r.PathValue("id"))
	answer(w, map[string]any{}, a.gateway.CancelScheduled(r.Context(), user(r), ref))
}

func (a api) conversations(w http.ResponseWriter, r *http.Request) {
	views, _, err := a.gateway.Conversations(r.Context(), user(r), 0, 1000)
	items := []any{}
	for i := range views {
		items = append(items, map[string]any{"conversationId": views[i].ID.String()})
	}
	answer(w, map[string]any{"items": items}, err)
}

func (a api) history(w http.ResponseWriter, r *http.Request) {
	id, _ := protocol.ParseConversationID(r.PathValue("id"))
	after, next := uint64(ws.FromStart), r.URL.Query().Get("cursor")
	if next != "" {
		after, _ = strconv.ParseUint(next, 10, 64)
	}
	records, goesOn, err := a.gateway.History(r.Context(), user(r), id, 0, after, 100)
	next = ""
	if goesOn > 0 {
		next = strconv.FormatUint(goesOn, 10)
	}
	items := []any{}
	for i := range records {
		rec := &records[i].Record
		items = append(items, map[string]any{"seq": rec.Seq, "kind": records[i].Kind, "from": rec.Sender, "message": rec.Body, "msgid": rec.MsgID})
	}
	answer(w, map[string]any{"items": items, "next": next}, err)
}
