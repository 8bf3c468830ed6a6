package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// patience bounds what a test waits for; nothing is asserted of how long it took.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(
			// The RocketMQ client starts it when the program does, for its whole life.
			goleak.IgnoreAnyFunction("github.com/patrickmn/go-cache.(*janitor).Run"),
			// Its pull for more ends when the broker answers, or after a while, whoever still wants it.
			goleak.IgnoreTopFunction("github.com/apache/rocketmq-client-go/v2/internal/remote.(*ResponseFuture).waitResponse"),
			// Its loops look only now and then whether the client was shut down, one of them after half a minute.
			goleak.IgnoreAnyFunction("github.com/apache/rocketmq-client-go/v2/consumer.(*pushConsumer).pullMessage"),
			goleak.IgnoreAnyFunction("github.com/apache/rocketmq-client-go/v2/primitive.WithRecover")); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

// testConfig is a configuration for a test: its own folder, no waiting at the end, a free port.
func testConfig(t *testing.T) *configs.Config {
	t.Helper()
	c := configs.Default()
	c.Store.Dir = t.TempDir()
	c.Server.Listen, c.Server.Admin = "127.0.0.1:0", "127.0.0.1:0"
	c.Drain = configs.Drain{Spread: time.Millisecond, Timeout: 20 * time.Second}
	return c
}

// tokenOf is the token of a user whom stubs are to know. One that somebody has issued, which has a dot, is what it is.
func tokenOf(user string) string {
	if user == "" || strings.Contains(user, ".") {
		return user
	}
	return wstest.TokenMark + user
}

// ownerOf is the openid that a stub knows a token by.
func ownerOf(token string) string { return strings.TrimPrefix(token, wstest.TokenMark) }

// users is an Authenticator who knows everybody's token.
type users struct {
	mu    sync.Mutex
	err   error
	calls int
}

func (u *users) Authenticate(_ context.Context, c ws.Credentials) (ws.Identity, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls++
	switch {
	case u.err != nil:
		return ws.Identity{}, u.err
	case strings.HasPrefix(ownerOf(c.Token), "bad"):
		return ws.Identity{}, ws.ErrInvalidToken
	}
	return ws.Identity{OpenID: ownerOf(c.Token), Name: "name of " + ownerOf(c.Token)}, nil
}

func (u *users) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
}

func (u *users) asked() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.calls
}

// host is an application that mounts a bundle under /im.
type host struct {
	t      *testing.T
	bundle *app.Bundle
	base   string
	log    *wstest.Log
	stop   func()
}

func newHost(t *testing.T, cfg *configs.Config, opts ...app.Option) *host {
	t.Helper()
	h := &host{t: t, log: wstest.NewLog(t)}
	bundle, err := app.New(cfg, append([]app.Option{app.WithLogger(h.log.Logger())}, opts...)...)
	require.NoError(t, err)
	h.bundle = bundle
	router := gin.New()
	router.Use(bundle.TokenFilter(), gin.LoggerWithWriter(h.log))
	bundle.Mount(router.Group("/im"))
	bundle.MountAdmin(router.Group("/admin"))
	require.NoError(t, bundle.Start(t.Context()))
	server := httptest.NewServer(router)
	h.base = server.URL + "/im"
	t.Cleanup(server.Close)
	h.stop = sync.OnceFunc(func() { require.NoError(t, bundle.Stop(context.Background())) })
	t.Cleanup(func() { h.stop() })
	return h
}

// call makes a request and returns its status and body.
func call(t *testing.T, method, url, token, body string, header ...string) (int, string) {
	t.Helper()
	response, text := exchange(t, method, url, token, body, header...)
	return response.StatusCode, text
}

// exchange makes a request and returns the answer, whose body it has read.
func exchange(t *testing.T, method, url, token, body string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewBufferString(body))
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+tokenOf(token))
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(text)
}

// dial opens a socket and returns it once hello has come.
func dial(t *testing.T, base, token string) *websocket.Conn {
	t.Helper()
	url := "ws" + strings.TrimPrefix(base, "http") + "/ws?v=1&token=" + tokenOf(token)
	conn, response, err := websocket.DefaultDialer.Dial(url, nil)
	require.NoError(t, err)
	_ = response.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	require.EqualValues(t, 33, receive(t, conn)["type"])
	return conn
}

// receive reads the next frame; of an envelope, what is in it.
func receive(t *testing.T, conn *websocket.Conn) map[string]any {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, text, err := conn.ReadMessage()
	require.NoError(t, err)
	var frame map[string]any
	require.NoError(t, json.Unmarshal(text, &frame))
	if inner, ok := frame["msg"].(map[string]any); ok {
		return inner
	}
	return frame
}

func params(frame map[string]any) map[string]any {
	p, _ := frame["params"].(map[string]any)
	return p
}

func httpServer(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// upgradeStatus tries to open a socket from a page of origin.
func upgradeStatus(t *testing.T, base, token, origin string) int {
	t.Helper()
	url := "ws" + strings.TrimPrefix(base, "http") + "/ws?token=" + tokenOf(token)
	conn, response, err := websocket.DefaultDialer.Dial(url, http.Header{"Origin": {origin}})
	if err == nil {
		_ = conn.Close()
	}
	require.NotNil(t, response, err)
	_ = response.Body.Close()
	return response.StatusCode
}
