package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/docs/openapitest"
	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// patience bounds what a test waits for; nothing is asserted of how long it took.
const patience = 20 * time.Second

var _ handlers.Engine = (*ws.Gateway)(nil)

// door is a gateway on a ledger in memory, behind the handlers and a real HTTP server.
type door struct {
	t       testing.TB
	store   *wstest.MemStore
	gateway *ws.Gateway
	router  *gin.Engine
	server  *httptest.Server
	charged atomic.Int64 // calls that calls counted for, besides themselves
}

// expiry is when ann's token ends.
var expiry = time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))

// identities are who the tokens of these tests stand for.
var identities = map[string]ws.Identity{
	"ann":       {OpenID: "ann", Name: "Ann", Roles: []string{"staff"}, ExpiresAt: expiry},
	"ben":       {OpenID: "ben", Name: "Ben"},
	"eve":       {OpenID: "eve", Name: "Eve"},
	"boss":      {OpenID: "boss", Name: "Boss", Roles: []string{"staff", "root"}},
	"key-send":  {Service: "shop", Scopes: []string{"send"}},
	"key-read":  {Service: "report", Scopes: []string{"read"}},
	"key-admin": {Service: "support", Scopes: []string{"admin"}},
}

func openDoor(t testing.TB, change func(*ws.Options)) *door {
	t.Helper()
	opt := ws.Options{NodeID: "n1", Advertise: "127.0.0.1:8084", Zone: time.UTC, DrainSpread: time.Millisecond, Log: wstest.NewLog(t).Logger()}
	if change != nil {
		change(&opt)
	}
	d := &door{t: t, store: wstest.NewMemStore(), router: gin.New()}
	d.router.UseRawPath = true // as the standalone server has it
	var err error
	d.gateway, err = ws.New(d.store, opt)
	require.NoError(t, err)
	handlers.New(d.gateway, handlers.Options{AdminRoles: []string{"root"}, BodyBytes: 4096, Tickets: issuer{}}).Mount(d.router, authenticate, d.counts, limited)
	d.server = httptest.NewServer(d.router)
	t.Cleanup(d.close)
	require.NoError(t, d.gateway.Start(t.Context()))
	for _, id := range identities {
		if id.OpenID != "" {
			require.NoError(t, d.gateway.Write(t.Context(), &ws.PutUser{OpenID: id.OpenID, Name: id.Name}))
		}
	}
	return d
}

func (d *door) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(d.t, d.gateway.Stop(ctx))
	d.server.Client().CloseIdleConnections()
	d.server.Close()
}

// authenticate stands in for the middleware. An unknown token goes on without an identity.
func authenticate(c *gin.Context) {
	token := strings.TrimPrefix(c.GetHeader("Authorization"), "Bearer ")
	caller := &ws.Caller{RequestID: "request-1"}
	if id, ok := identities[token]; ok {
		caller.Identity, caller.Token = id, token
	}
	c.Request = c.Request.WithContext(ws.WithCaller(c.Request.Context(), caller))
}

// issuer stands in for what issues tickets.
type issuer struct{}

func (issuer) Issue(_ context.Context, token string) (string, time.Duration, error) {
	return "ticket of " + token, 30 * time.Second, nil
}

// counts stands in for the limit on calls.
func (d *door) counts(c *gin.Context) {
	ws.CallerFrom(c.Request.Context()).Charge = func(n int) { d.charged.Add(int64(n)) }
}

// limited stands in for the limit on connects, and shows that it comes first.
func limited(c *gin.Context) {
	if c.Query("storm") != "" {
		c.AbortWithStatus(http.StatusTooManyRequests)
	}
}

// answer is any answer to a REST call.
type answer struct {
	status int
	header http.Header
	text   string
	object map[string]any
}

func (d *door) call(who, method, path, body string, header ...string) answer {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.server.URL+path, strings.NewReader(body))
	require.NoError(d.t, err)
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := d.server.Client().Do(req)
	require.NoError(d.t, err)
	defer func() { require.NoError(d.t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(d.t, err)
	openapitest.Exchange(d.t, path, []byte(body), resp, data)
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(data)}
	require.NoError(d.t, json.Unmarshal(bytes.TrimSpace(data), &a.object), "%s %s: %s", method, path, data)
	return a
}

func (d *door) get(who, path string) answer {
	d.t.Helper()
	return d.call(who, http.MethodGet, path, "")
}

func (d *door) post(who, body string, header ...string) answer {
	d.t.Helper()
	return d.call(who, http.MethodPost, "/api/v1/messages", body, header...)
}

// posted sends a message that has to be accepted, and returns its only result.
func (d *door) posted(from, to, body, msgid string) map[string]any {
	d.t.Helper()
	text, err := json.Marshal(map[string]any{"to": to, "message": body, "msgid": msgid})
	require.NoError(d.t, err)
	a := d.post(from, string(text))
	require.Equal(d.t, http.StatusOK, a.status, a.text)
	result := a.results()[0]
	require.Equal(d.t, "accepted", result["status"])
	return result
}

func (a answer) results() []map[string]any { return objects(a.object["results"]) }
func (a answer) items() []map[string]any   { return objects(a.object["items"]) }

func objects(v any) []map[string]any {
	list, _ := v.([]any)
	all := make([]map[string]any, len(list))
	for i := range list {
		all[i], _ = list[i].(map[string]any)
	}
	return all
}

// refused asserts the one shape of errors.
func (a answer) refused(t testing.TB, status int, code, field string) {
	t.Helper()
	require.Equal(t, status, a.status, a.text)
	require.Len(t, a.object, 1, a.text)
	detail, _ := a.object["error"].(map[string]any)
	require.Equal(t, code, detail["code"], a.text)
	require.NotEmpty(t, detail["message"], a.text)
	require.Contains(t, detail, "requestId")
	if field == "" {
		require.NotContains(t, detail, "field", a.text)
	} else {
		require.Equal(t, field, detail["field"], a.text)
	}
	a.saysWhen(t)
}

// saysWhen asserts that whoever is to come back later, and nobody else, is told when.
func (a answer) saysWhen(t testing.TB) {
	t.Helper()
	temporary := a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests
	require.Equal(t, temporary, a.header.Get("Retry-After") != "", "Retry-After goes with 429 and 503")
}

// socket is a WebSocket client.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
	id   string // of the session, of one that connect has opened
}

// dial opens a socket, or returns the answer that refused it.
func (d *door) dial(who string, query url.Values, protocols ...string) (*socket, *http.Response) {
	d.t.Helper()
	dialer := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: patience}
	header := http.Header{"Authorization": {"Bearer " + who}}
	conn, resp, err := dialer.DialContext(d.t.Context(), "ws"+strings.TrimPrefix(d.server.URL, "http")+"/ws?"+query.Encode(), header)
	if err != nil {
		require.NotNil(d.t, resp, err)
		return nil, resp
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	return &socket{t: d.t, conn: conn}, resp
}

// connectAs is connect for somebody whose token no other test needs.
func (d *door) connectAs(who ws.Identity, device string) *socket {
	d.t.Helper()
	identities["odd"] = who
	defer delete(identities, "odd")
	return d.connect("odd", device)
}

// connect opens a session that knows our own frames, and reads the hello.
func (d *door) connect(who, device string) *socket {
	d.t.Helper()
	s, resp := d.dial(who, url.Values{"v": {"1"}, "device": {device}})
	require.NotNil(d.t, s, resp)
	hello := s.expect(33)
	require.Equal(d.t, device, hello["device"])
	s.id = hello["sessionId"].(string)
	return s
}

func (s *socket) write(v any) {
	s.t.Helper()
	require.NoError(s.t, s.conn.WriteJSON(v))
}

// expect returns the params of the next frame of a type, and the envelope's messageId; others are passed over.
func (s *socket) expect(kind int) map[string]any {
	s.t.Helper()
	for {
		require.NoError(s.t, s.conn.SetReadDeadline(time.Now().Add(patience)))
		var frame struct {
			Type   any            `json:"type"`
			Params map[string]any `json:"params"`
			Msg    struct {
				Type   int            `json:"type"`
				Params map[string]any `json:"params"`
			} `json:"msg"`
		}
		require.NoError(s.t, s.conn.ReadJSON(&frame), "waiting for frame %d", kind)
		if frame.Type == float64(kind) {
			return frame.Params
		}
		if frame.Type == nil && frame.Msg.Type == kind {
			return frame.Msg.Params
		}
	}
}

// closes reads to the end, as a client does that answers a close at once, and then tells its code; 0 for another end.
func (s *socket) closes() <-chan int {
	s.t.Helper()
	require.NoError(s.t, s.conn.SetReadDeadline(time.Now().Add(patience)))
	code := make(chan int, 1)
	go func() {
		for {
			if _, _, err := s.conn.ReadMessage(); err != nil {
				var end *websocket.CloseError
				errors.As(err, &end)
				if end == nil {
					end = &websocket.CloseError{}
				}
				code <- end.Code
				return
			}
		}
	}()
	return code
}

// acknowledge acknowledges a message and waits until that is recorded.
func (s *socket) acknowledge(msgid, from string) {
	s.t.Helper()
	s.write(map[string]any{"type": 15, "params": map[string]any{"from": "client", "msgid": msgid, "fromUser": from, "toUser": ""}})
	require.Equal(s.t, msgid, s.expect(16)["message"])
}
