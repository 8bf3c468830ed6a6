package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

// patience bounds what a test waits for; nothing is asserted of how long it took.
const patience = 20 * time.Second

// node is a gateway behind a real HTTP server.
type node struct {
	t       testing.TB
	store   ws.Store
	gateway *ws.Gateway
	server  *httptest.Server
}

func startNode(t testing.TB, change func(*ws.Options)) *node {
	t.Helper()
	return startNodeOn(t, wstest.NewMemStore(), change)
}

func startNodeOn(t testing.TB, store ws.Store, change func(*ws.Options)) *node {
	t.Helper()
	opt := ws.Options{
		NodeID: "n1", Advertise: "127.0.0.1:8084", Zone: time.UTC, FramesPerSecond: -1, DrainSpread: time.Millisecond,
		Log: wstest.NewLog(t).Logger(),
	}
	if change != nil {
		change(&opt)
	}
	gateway, err := ws.New(store, opt)
	require.NoError(t, err)
	require.NoError(t, gateway.Start(t.Context()))
	n := &node{t: t, store: store, gateway: gateway}
	n.server = httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(n.stop)
	return n
}

func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("user")
	err := n.gateway.Connect(w, r, ws.ConnectRequest{
		Identity: ws.Identity{OpenID: user, Name: "name of " + user},
		Token:    r.URL.Query().Get("token"),
		Device:   r.URL.Query().Get("device"),
		V1:       r.URL.Query().Get("v") == "1",
	})
	var coded *protocol.Error
	if errors.As(err, &coded) {
		http.Error(w, coded.Error(), coded.Code.Status())
	}
}

func (n *node) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(n.t, n.gateway.Stop(ctx))
	n.server.Close()
}

// client is a WebSocket client that keeps what it received and did not look at yet.
type client struct {
	t    testing.TB
	user string
	conn *websocket.Conn
	kept []reply
}

// reply is any frame of the server, decoded.
type reply struct {
	Type   any             `json:"type"`
	ID     any             `json:"id"`
	Params json.RawMessage `json:"params"`
	Status int             `json:"status"`
	Msg    *struct {
		Type   int             `json:"type"`
		Params json.RawMessage `json:"params"`
	} `json:"msg"`
	MessageID string   `json:"messageId"`
	SessionID string   `json:"sessionId"`
	Trigger   int      `json:"trigger"`
	To        []string `json:"to"`
	p         params
}

// params holds what tests look at.
type params struct {
	Message        string          `json:"message"`
	MsgID          string          `json:"msgid"`
	MessageID      string          `json:"messageId"`
	ConversationID string          `json:"conversationId"`
	Seq            uint64          `json:"seq"`
	PrevSeq        uint64          `json:"prevSeq"`
	Duplicate      bool            `json:"duplicate"`
	Redelivered    bool            `json:"redelivered"`
	Code           string          `json:"code"`
	Field          string          `json:"field"`
	Temporary      bool            `json:"temporary"`
	RetryAfterMs   int             `json:"retryAfterMs"`
	ToUser         json.RawMessage `json:"toUser"`
	Device         string          `json:"device"`
	NewDevice      bool            `json:"newDevice"`
	UpTo           uint64          `json:"upTo"`
	Waiting        []string        `json:"waiting"`
	Gone           []string        `json:"gone"`
	Proofs         int             `json:"proofs"`
	Reset          bool            `json:"reset"`
	Recalled       string          `json:"recalled"`
	By             string          `json:"by"`
	User           string          `json:"user"`
	FromUser       json.RawMessage `json:"fromUser"`
	Signal         string          `json:"signal"`
	OpenID         string          `json:"openid"`
	PresenceStatus string          `json:"status"`
	Devices        []string        `json:"devices"`
	Users          []standing      `json:"users"`
	Errors         []struct {
		ConversationID string `json:"conversationId"`
		Code           string `json:"code"`
	} `json:"errors"`
}

// standing is how it stands with somebody's presence.
type standing struct {
	OpenID  string   `json:"openid"`
	Status  string   `json:"status"`
	Devices []string `json:"devices"`
}

func (r *reply) kind() int {
	if r.Msg != nil {
		return r.Msg.Type
	}
	switch v := r.Type.(type) {
	case float64:
		return int(v)
	default:
		return -1
	}
}

func (n *node) dial(user, query string) (*client, *http.Response, error) {
	url := "ws" + strings.TrimPrefix(n.server.URL, "http") + "/ws?user=" + user + query
	conn, response, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		return nil, response, err
	}
	c := &client{t: n.t, user: user, conn: conn}
	n.t.Cleanup(func() { _ = conn.Close() })
	return c, response, nil
}

// connect opens a yanlink.v1 session and reads the hello.
func (n *node) connect(user, device string) *client {
	n.t.Helper()
	c, _, err := n.dial(user, "&v=1&device="+device)
	require.NoError(n.t, err)
	c.expect(33)
	return c
}

func (c *client) write(text string) {
	c.t.Helper()
	require.NoError(c.t, c.conn.WriteMessage(websocket.TextMessage, []byte(text)))
}

// next returns the next frame, whatever it is.
func (c *client) next() (reply, error) {
	if len(c.kept) > 0 {
		r := c.kept[0]
		c.kept = c.kept[1:]
		return r, nil
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	_, data, err := c.conn.ReadMessage()
	if err != nil {
		return reply{}, err
	}
	var r reply
	if err := json.Unmarshal(data, &r); err != nil {
		return r, err
	}
	raw := r.Params
	if r.Msg != nil {
		raw = r.Msg.Params
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r.p); err != nil {
			return r, err
		}
	}
	return r, nil
}

// expect returns the next frame of a kind and keeps the others for later.
func (c *client) expect(kind int) reply {
	c.t.Helper()
	var passed []reply
	defer func() { c.kept = append(passed, c.kept...) }()
	for {
		r, err := c.next()
		require.NoError(c.t, err, "waiting for frame %d as %s; came: %+v", kind, c.user, passed)
		if r.kind() == kind {
			return r
		}
		require.Less(c.t, len(passed), 1000, "waiting for frame %d as %s; came: %+v", kind, c.user, r)
		passed = append(passed, r)
	}
}

// closed reads until the connection ends and returns the close code.
func (c *client) closed() (int, string) {
	c.t.Helper()
	for {
		_, err := c.next()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code, closed.Text
		}
		require.NoError(c.t, err)
	}
}

func (c *client) send(to, body, msgid string) reply {
	c.t.Helper()
	c.sendOnly(to, body, msgid)
	return c.expect(0)
}

func (c *client) sendOnly(to, body, msgid string) {
	c.t.Helper()
	frame, err := json.Marshal(map[string]any{"type": 1, "params": map[string]any{"toMessageId": to, "message": body, "fileType": 0, "msgid": msgid}})
	require.NoError(c.t, err)
	c.write(string(frame))
}

func (c *client) ackOnly(msgid, from string) {
	c.t.Helper()
	frame, err := json.Marshal(map[string]any{"type": 15, "params": map[string]any{"from": "client", "msgid": msgid, "fromUser": from, "toUser": c.user}})
	require.NoError(c.t, err)
	c.write(string(frame))
}

func (c *client) ack(msgid, from string) reply {
	c.t.Helper()
	c.ackOnly(msgid, from)
	return c.expect(16)
}

// known makes a user known without a connection.
func (n *node) known(users ...string) {
	n.t.Helper()
	for _, user := range users {
		require.NoError(n.t, n.gateway.Write(n.t.Context(), &ws.PutUser{OpenID: user, Name: "name of " + user}))
	}
}
