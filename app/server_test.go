package app_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func newServer(t *testing.T, cfg *configs.Config, opts ...app.Option) (*app.Server, *wstest.Log) {
	t.Helper()
	log := wstest.NewLog(t)
	server, err := app.NewServer(cfg, append([]app.Option{app.WithLogger(log.Logger())}, opts...)...)
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { _ = server.Close() })
	return server, log
}

func TestServer(t *testing.T) {
	cfg := testConfig(t)
	server, log := newServer(t, cfg)
	base := strings.TrimSuffix(server.URL(), "/")
	require.Contains(t, log.String(), "page="+server.URL(), "the log says where the page is")

	status, body := call(t, "GET", server.URL(), "", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, "<!doctype html>")
	alice, bob := login(t, base, "alice"), login(t, base, "bob")
	sockets := []*websocket.Conn{dial(t, base, alice), dial(t, base, bob)}
	status, body = call(t, "POST", base+"/api/v1/messages", alice, `{"to":["bob"],"message":"the-body"}`)
	require.Equal(t, 200, status, body)
	got := receive(t, sockets[1])
	require.Equal(t, "the-body", params(got)["message"])

	status, body = call(t, "GET", base+"/api/v1/nothing", alice, "")
	require.Equal(t, 404, status)
	require.Contains(t, body, `"not_found"`)
	status, _ = call(t, "GET", "http://"+server.AdminAddr()+"/metrics", "", "")
	require.Equal(t, 200, status)
	status, body = call(t, "GET", "http://"+server.AdminAddr()+"/debug/pprof/goroutine?debug=1", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, "goroutine profile")
	status, body = call(t, "GET", "http://"+server.AdminAddr()+"/debug/pprof/profile?seconds=0.05", "", "")
	require.Equal(t, 200, status)
	require.NotEmpty(t, body)
	status, _ = call(t, "GET", "http://"+server.AdminAddr()+"/debug/pprof/nonsense", "", "")
	require.Equal(t, 404, status)
	status, _ = call(t, "GET", base+"/metrics", "", "")
	require.Equal(t, 404, status, "metrics are not public")

	waited := make(chan error, 1)
	go func() { waited <- server.Wait() }()
	require.NoError(t, server.Stop(context.Background()))
	require.NoError(t, server.Stop(context.Background()), "idempotent")
	require.NoError(t, <-waited)
	var err error
	for err == nil {
		_, _, err = sockets[0].ReadMessage()
	}
	require.True(t, websocket.IsCloseError(err, protocol.CloseRestart), err)
	_, err = net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	require.Error(t, err, "nobody listens any more")

	for _, secret := range []string{alice, bob, "the-body"} {
		require.NotContains(t, log.String(), secret)
	}
}

// TestServer_StopOrder: not ready but serving, then no upgrades, then closed.
func TestServer_StopOrder(t *testing.T) {
	cfg := testConfig(t)
	cfg.Drain.Delay = 300 * time.Millisecond
	server, _ := newServer(t, cfg)
	base := strings.TrimSuffix(server.URL(), "/")
	token := login(t, base, "alice")
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.Background()) }()
	require.Eventually(t, func() bool {
		status, _ := call(t, "GET", base+"/readyz", "", "")
		return status == http.StatusServiceUnavailable
	}, patience, time.Millisecond)
	dial(t, base, token) // it serves on while balancers look
	require.NoError(t, <-stopped)
}

// A Stop that comes while the server starts ends that.
func TestServer_StopWhileStarting(t *testing.T) {
	cfg := testConfig(t)
	cfg.Server.Listen = freeAddress(t)
	cfg.Store.Driver, cfg.Store.DSN = "postgres", "postgres://nobody@"+freeAddress(t)+"/nothing?sslmode=disable"
	cfg.Store.StartTimeout = time.Hour
	server, err := app.NewServer(cfg)
	require.NoError(t, err)
	started := make(chan error, 1)
	go func() { started <- server.Start(t.Context()) }()
	require.Eventually(t, func() bool {
		status, _ := exchangeMaybe(t, "http://"+cfg.Server.Listen+"/healthz")
		return status == http.StatusOK
	}, patience, time.Millisecond)
	require.NoError(t, server.Stop(context.Background()))
	require.Error(t, <-started)
	_, err = net.Dial("tcp", cfg.Server.Listen)
	require.Error(t, err, "nobody listens any more")

	other, err := app.NewServer(testConfig(t))
	require.NoError(t, err)
	require.NoError(t, other.Stop(context.Background()))
	require.ErrorContains(t, other.Start(t.Context()), "stopped before it started")
}

func TestServer_Close_CutsStopShort(t *testing.T) {
	cfg := testConfig(t)
	cfg.Drain = configs.Drain{Delay: 10 * time.Minute, Timeout: 30 * time.Minute}
	server, _ := newServer(t, cfg, app.WithAuthenticator(&users{}))
	dial(t, strings.TrimSuffix(server.URL(), "/"), "alice")
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.Background()) }()
	require.Eventually(t, func() bool {
		status, _ := call(t, "GET", server.URL()+"readyz", "", "")
		return status == http.StatusServiceUnavailable
	}, patience, time.Millisecond)
	require.NoError(t, server.Close())
	require.ErrorIs(t, <-stopped, context.Canceled)
}

func TestServer_Start_Refused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	first, _ := newServer(t, testConfig(t))

	t.Run("PortTaken", func(t *testing.T) {
		for key, change := range map[string]func(*configs.Config){
			"server.listen": func(c *configs.Config) { c.Server.Listen = taken.Addr().String() },
			"server.admin":  func(c *configs.Config) { c.Server.Admin = taken.Addr().String() },
		} {
			c := testConfig(t)
			change(c)
			requireOneLine(t, start(t, c), key+": "+taken.Addr().String()+" is taken by another process; stop that one, or set another address")
		}
	})
	t.Run("NoSuchAddress", func(t *testing.T) {
		c := testConfig(t)
		c.Server.Listen = "192.0.2.1:80"
		requireOneLine(t, start(t, c), "server.listen: 192.0.2.1:80 cannot be listened on")
	})
	t.Run("FolderLocked", func(t *testing.T) {
		c := testConfig(t)
		holder, _ := newServer(t, c)
		requireOneLine(t, start(t, c), "store.dir: the ledger's folder is in use by another process")
		require.NoError(t, holder.Close())
		again, _ := newServer(t, c)
		require.NoError(t, again.Close())
	})
	t.Run("WrongConfiguration", func(t *testing.T) {
		c := testConfig(t)
		c.Log.Level = "loud"
		_, err := app.NewServer(c)
		requireOneLine(t, err, "log.level")
	})
	require.NoError(t, first.Close())
}

func start(t *testing.T, c *configs.Config) error {
	t.Helper()
	server, err := app.NewServer(c, app.WithLogger(wstest.NewLog(t).Logger()))
	require.NoError(t, err)
	err = server.Start(t.Context())
	require.Error(t, err)
	return err
}

func requireOneLine(t *testing.T, err error, want string) {
	t.Helper()
	require.ErrorContains(t, err, want)
	require.NotContains(t, err.Error(), "\n")
}

func TestServer_RealSSO(t *testing.T) {
	down := false
	sso := httpServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case down:
			w.WriteHeader(http.StatusBadGateway)
		case ownerOf(r.Header.Get("X-Token")) != "good":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = w.Write([]byte(`{"user":{"id":"alice"},"userName":"Alice"}`))
		}
	}))
	cfg := testConfig(t)
	cfg.SSO.URL, cfg.SSO.Header, cfg.SSO.Fields.OpenID = sso, "X-Token", "user.id"
	server, _ := newServer(t, cfg)
	base := strings.TrimSuffix(server.URL(), "/")
	status, body := call(t, "GET", base+"/api/v1/me", "good", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"openid":"alice"`)
	status, _ = call(t, "GET", base+"/api/v1/me", "bad", "")
	require.Equal(t, 401, status)
	status, _ = call(t, "POST", base+"/dev/login", "", `{"openid":"mallory"}`)
	require.Equal(t, 404, status, "no development SSO beside a real one")
	down = true
	for i := range 12 {
		status, _ = call(t, "GET", base+"/api/v1/me", "new"+string(rune('a'+i)), "")
		require.Equal(t, 503, status)
	}
	status, _ = call(t, "GET", base+"/api/v1/me", "good", "")
	require.Equal(t, 200, status, "a known token goes on")
	status, body = call(t, "GET", base+"/readyz", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"degraded"`)
	require.Contains(t, body, `"sso":"does not answer`)
	require.NoError(t, server.Stop(context.Background()))
}

func TestCheckStore(t *testing.T) {
	cfg := testConfig(t)
	server, _ := newServer(t, cfg, app.WithAuthenticator(&users{}))
	call(t, "GET", server.URL()+"api/v1/me", "alice", "")
	_, err := app.CheckStore(t.Context(), cfg.Store.Dir, os.Stderr)
	require.Error(t, err, "somebody has it open")
	require.NoError(t, server.Stop(context.Background()))
	var out bytes.Buffer
	problems, err := app.CheckStore(t.Context(), cfg.Store.Dir, &out)
	require.NoError(t, err)
	require.Zero(t, problems)
	require.Contains(t, out.String(), "1 users")
	_, err = app.CheckStore(t.Context(), t.TempDir(), &out)
	require.Error(t, err)
}

func TestServer_SessionIDs(t *testing.T) {
	cfg := testConfig(t)
	server, _ := newServer(t, cfg, app.WithAuthenticator(&users{}))
	url := "ws" + strings.TrimPrefix(server.URL(), "http") + "ws?v=1&token=alice"
	conn, response, err := websocket.DefaultDialer.Dial(url, nil)
	require.NoError(t, err)
	_ = response.Body.Close()
	defer conn.Close()
	id, _ := params(receive(t, conn))["sessionId"].(string)
	require.True(t, strings.HasPrefix(id, server.Addr()+"_alice_"), id)
}
