package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestNew_Refused(t *testing.T) {
	for want, change := range map[string]func(*configs.Config){
		"delivery.window: 0 is out of range": func(c *configs.Config) { c.Delivery.Window = 0 },
		"store.dsn: ":                        func(c *configs.Config) { c.Store.Driver, c.Store.DSN = "mysql", "not a dsn" },
		"discovery.nacos: nacos: \"n\" is not <host>:<port>": func(c *configs.Config) {
			c.Node.Advertise, c.Discovery.Driver, c.Discovery.Nacos.Addrs = "127.0.0.1:8084", "nacos", []string{"n"}
		},
		"store.dir: the ledger's folder is not writable": func(c *configs.Config) { c.Store.Dir = "/proc/nothing" },
	} {
		c := testConfig(t)
		change(c)
		_, err := app.New(c, app.WithAuthenticator(&users{}))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n", "one problem is one line")
	}
	c := testConfig(t)
	c.Registry.Driver, c.Registry.Redis.Addrs = "redis", []string{"r:1"}
	c.SSO.Dev, c.Delivery.Window = false, 0
	c.Discovery.Driver = "nacos"
	err := app.Check(c)
	for _, want := range []string{"delivery.window", "registry.driver: redis does not work with bus.driver memory", "discovery.nacos.addrs: it is empty", "sso.url: nobody"} {
		require.ErrorContains(t, err, want, "all at once")
	}
	require.NoError(t, app.Check(configs.Default()), "the program brings the development SSO")
	_, err = app.NewServer(c)
	require.ErrorContains(t, err, "registry.driver: redis", "the server asks what Check asks")
}

func TestNew_NobodyChecksTokens(t *testing.T) {
	_, err := app.New(testConfig(t))
	require.ErrorContains(t, err, "sso.url: nobody is there to check tokens")
	c := testConfig(t)
	c.SSO.Dev = false
	_, err = app.New(c, app.WithDevSSO())
	require.ErrorContains(t, err, "sso.url")
}

func TestNew_FolderLocked(t *testing.T) {
	c := testConfig(t)
	first, err := app.New(c, app.WithAuthenticator(&users{}))
	require.NoError(t, err)
	_, err = app.New(c, app.WithAuthenticator(&users{}))
	require.ErrorContains(t, err, "in use by another process")
	require.NotContains(t, err.Error(), "\n")
	require.NoError(t, first.Stop(context.Background()), "a bundle that never started frees what it opened")
	again, err := app.New(c, app.WithAuthenticator(&users{}))
	require.NoError(t, err)
	require.NoError(t, again.Stop(context.Background()))
}

// TestBundle is the whole way: two people on sockets, the host in between.
func TestBundle(t *testing.T) {
	cfg := testConfig(t)
	cfg.Auth.ServiceKeys = []configs.ServiceKey{{Name: "orders", Key: "orders-key-0123456", Scopes: []string{"send"}}}
	h := newHost(t, cfg, app.WithAuthenticator(&users{}))
	alice, bob := dial(t, h.base, "alice-secret"), dial(t, h.base, "bob-secret")

	require.NoError(t, alice.WriteMessage(websocket.TextMessage, []byte(`{"type":1,"params":{"toMessageId":"bob-secret","message":"hi","msgid":"m1"}}`)))
	require.EqualValues(t, 0, receive(t, alice)["type"])
	got := receive(t, bob)
	require.EqualValues(t, 2, got["type"])
	require.Equal(t, "hi", params(got)["message"])
	require.NoError(t, bob.WriteMessage(websocket.TextMessage, []byte(`{"type":15,"params":{"from":"client","msgid":"m1","fromUser":"alice-secret","toUser":"bob-secret"}}`)))
	require.EqualValues(t, 16, receive(t, bob)["type"])
	require.EqualValues(t, 17, receive(t, alice)["type"])

	sent, err := h.bundle.Send(t.Context(), ws.Draft{To: []string{"bob-secret"}, Body: "shipped", MsgID: "order-17"})
	require.NoError(t, err)
	require.Nil(t, sent.Results[0].Err)
	require.Equal(t, "shipped", params(receive(t, bob))["message"])
	again, err := h.bundle.Send(t.Context(), ws.Draft{To: []string{"bob-secret"}, Body: "shipped", MsgID: "order-17"})
	require.NoError(t, err)
	require.True(t, again.Results[0].Duplicate)

	status, _ := call(t, "GET", h.base+"/api/v1/messages/"+sent.Results[0].MessageID.String(), "bob-secret", "")
	require.Equal(t, 200, status)
	status, _ = call(t, "GET", h.base+"/api/v1/me?token=alice-secret", "", "")
	require.Equal(t, 401, status, "a token in a URL is for /ws alone")
	status, body := call(t, "GET", h.base+"/api/v1/me", "alice-secret", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"openid":"alice-secret"`)
	status, _ = call(t, "GET", h.base+"/assets/yanlink.js", "", "")
	require.Equal(t, 200, status)
	status, _ = call(t, "GET", h.base+"/", "", "")
	require.Equal(t, 404, status, "the page comes with the development SSO only")
	status, _ = call(t, "POST", h.base+"/dev/login", "", `{"openid":"mallory"}`)
	require.Equal(t, 404, status)
	status, body = call(t, "GET", h.base+"/readyz", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"ledger":"ok"`)
	require.True(t, h.bundle.Health(t.Context()).Ready)

	status, body = call(t, "GET", strings.TrimSuffix(h.base, "/im")+"/admin/metrics", "", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, "yanlink_sessions 2")
	require.Contains(t, body, `yanlink_messages_total{outcome="accepted"} 2`)

	h.stop()
	require.Contains(t, h.log.String(), "/im/ws", "the host has logged the requests")
}

func TestBundle_NotStarted(t *testing.T) {
	bundle, err := app.New(testConfig(t), app.WithAuthenticator(&users{}))
	require.NoError(t, err)
	router := gin.New()
	bundle.Mount(router)
	server := httpServer(t, router)
	status, body := call(t, "GET", server+"/api/v1/me", "alice", "")
	require.Equal(t, 503, status)
	require.Contains(t, body, `"draining"`)
	status, body = call(t, "GET", server+"/readyz", "", "")
	require.Equal(t, 503, status)
	require.Contains(t, body, `"starting"`)
	status, _ = call(t, "GET", server+"/healthz", "", "")
	require.Equal(t, 200, status)
	_, err = bundle.Send(t.Context(), ws.Draft{To: []string{"bob"}, Body: "x"})
	require.ErrorIs(t, err, protocol.NewError(protocol.Draining, ""))

	require.NoError(t, bundle.Stop(context.Background()))
	require.Error(t, bundle.Start(t.Context()), "after Stop it does not start")
	status, _ = call(t, "GET", server+"/api/v1/me", "alice", "")
	require.Equal(t, 503, status)
	require.NoError(t, bundle.Stop(context.Background()), "Stop is idempotent")
}

// What the host does with its own ?token=, and with errors of its own, stays the host's.
func TestBundle_LeavesTheHostAlone(t *testing.T) {
	ours := wstest.NewLog(t)
	bundle, err := app.New(testConfig(t), app.WithAuthenticator(&users{}), app.WithLogger(ours.Logger()))
	require.NoError(t, err)
	var log bytes.Buffer // read once the server is closed
	router := gin.New()
	answers := func(c *gin.Context) { // as Gin's documentation has it
		c.Next()
		if len(c.Errors) > 0 {
			c.JSON(http.StatusInternalServerError, gin.H{"success": false, "message": c.Errors.Last().Error()})
		}
	}
	router.Use(bundle.TokenFilter(), gin.LoggerWithWriter(&log), answers)
	router.GET("/reset", func(c *gin.Context) { c.String(http.StatusOK, c.Query("token")) })
	router.GET("/api/reset", func(c *gin.Context) { c.String(http.StatusOK, c.Query("token")) })
	router.GET("/fails", func(c *gin.Context) { _ = c.Error(errors.New("the host's own")) })
	bundle.Mount(router.Group("/im"))
	bundle.Mount(router.Group("/t/:tenant/im"))
	bundle.Mount(router.Group("/:tenant"))
	bundle.Mount(router.Group("/remarked", func(c *gin.Context) { _ = c.Error(errors.New("a remark of the host's")) }))
	require.NoError(t, bundle.Start(t.Context()))
	defer func() { require.NoError(t, bundle.Stop(context.Background())) }()
	server := httptest.NewServer(router)
	defer server.Close()
	base := server.URL

	for _, path := range []string{"/reset", "/api/reset"} {
		_, body := call(t, "GET", base+path+"?token=of-the-host", "", "")
		require.Equal(t, "of-the-host", body)
	}
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	for path, header := range map[string][]string{
		"/im/ws": nil, "/im/api/v1/me": nil, "/im/nothing": nil, "/im": nil, "//im//ws": nil, "/t/acme/im/api/v1/me": nil, "/wrong/place/ws": upgrade,
	} {
		_, body := call(t, "GET", base+path+"?token=a-secret", "", "", header...)
		require.NotContains(t, body, "a-secret")
	}
	for path, status := range map[string]int{"/im/api/v1/me": 401, "/im/api/v1/messages/nonsense": 401} {
		got, body := call(t, "GET", base+path, "", "")
		require.Equal(t, status, got)
		var one struct{ Error struct{ Code string } }
		require.NoError(t, json.Unmarshal([]byte(body), &one), "one document: %s", body)
		require.NotEmpty(t, one.Error.Code)
	}
	got, _ := call(t, "GET", base+"/remarked/healthz", "", "")
	require.Equal(t, http.StatusOK, got)
	require.NotContains(t, ours.String(), "a remark", "it is none of the bundle's errors")
	_, body := call(t, "GET", base+"/fails", "", "")
	require.Contains(t, body, "the host's own")
	server.Close()
	require.Contains(t, log.String(), "/wrong/place/ws")
	require.NotContains(t, log.String(), "a-secret")
}

// A Stop that comes while the bundle starts waits for that and ends what it began.
func TestBundle_StopWhileStarting(t *testing.T) {
	ledger, err := pebblestore.Open(t.Context(), pebblestore.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { _ = ledger.Close() }()
	store := hangingClock{Store: ledger, asked: make(chan struct{})}
	bundle, err := app.New(testConfig(t), app.WithAuthenticator(&users{}), app.WithStore(store))
	require.NoError(t, err)
	started := make(chan error, 1)
	go func() { started <- bundle.Start(t.Context()) }()
	<-store.asked
	require.NoError(t, bundle.Stop(context.Background()))
	require.NoError(t, <-started)
	_, err = bundle.Send(t.Context(), ws.Draft{From: "orders", To: []string{"bob"}, Body: "x"})
	require.ErrorIs(t, err, protocol.NewError(protocol.Draining, ""))
	require.Error(t, bundle.Start(t.Context()))
}

// hangingClock is a ledger on a server that does not say what time it is.
type hangingClock struct {
	ws.Store
	asked chan struct{}
}

func (s hangingClock) Time(ctx context.Context) (ws.Millis, error) {
	close(s.asked)
	<-ctx.Done()
	return 0, ctx.Err()
}

// A disk that hangs does not keep Stop.
func TestBundle_Stop_LedgerHangs(t *testing.T) {
	ledger, err := pebblestore.Open(t.Context(), pebblestore.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	store := &hangingStore{Store: ledger, hangs: make(chan struct{}), let: make(chan struct{})}
	defer func() { _ = ledger.Close() }()
	defer close(store.let)
	bundle, err := app.New(testConfig(t), app.WithAuthenticator(&users{}), app.WithStore(store))
	require.NoError(t, err)
	require.NoError(t, bundle.Start(t.Context()))
	go func() {
		_, _ = bundle.Send(context.Background(), ws.Draft{From: "orders", To: []string{"bob"}, Body: "x"})
	}()
	<-store.hangs
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, bundle.Stop(ctx), context.DeadlineExceeded)
}

// hangingStore is a ledger on a disk that does not come back.
type hangingStore struct {
	ws.Store
	once       sync.Once
	hangs, let chan struct{}
}

func (s *hangingStore) Commit(context.Context, []ws.Op) error {
	s.once.Do(func() { close(s.hangs) })
	<-s.let
	return ws.ErrUnavailable
}

func TestBundle_Stop(t *testing.T) {
	cfg := testConfig(t)
	cfg.Drain.Delay = 10 * time.Second // until the context ends, below
	h := newHost(t, cfg, app.WithAuthenticator(&users{}))
	alice := dial(t, h.base, "alice")

	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 2)
	for range 2 {
		go func() { stopped <- h.bundle.Stop(ctx) }()
	}
	require.Eventually(t, func() bool {
		status, body := call(t, "GET", h.base+"/readyz", "", "")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "draining")
	}, patience, 5*time.Millisecond)
	status, _ := call(t, "GET", h.base+"/api/v1/me", "alice", "")
	require.Equal(t, 200, status, "it serves on for drain.delay")
	cancel()
	for range 2 {
		err := <-stopped
		require.True(t, err == nil || errors.Is(err, context.Canceled), err)
	}
	require.NoError(t, alice.SetReadDeadline(time.Now().Add(patience)))
	_, _, err := alice.ReadMessage()
	require.Error(t, err)
	h.stop = func() {}
}

func TestBundle_CloseCode(t *testing.T) {
	h := newHost(t, testConfig(t), app.WithAuthenticator(&users{}))
	alice := dial(t, h.base, "alice")
	h.stop()
	require.NoError(t, alice.SetReadDeadline(time.Now().Add(patience)))
	_, _, err := alice.ReadMessage()
	require.True(t, websocket.IsCloseError(err, protocol.CloseRestart), err)
}

func TestBundle_Options(t *testing.T) {
	store := wstest.NewMemStore()
	registry := prometheus.NewRegistry()
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	options := []app.Option{
		app.WithAuthenticator(&users{}), app.WithStore(store), app.WithRegisterer(registry),
		app.WithClock(func() time.Time { return at }),
		app.WithAuthorizer(onlyTo{user: "bob"}),
		app.WithBeforeSend(func(_ context.Context, d *ws.Draft) error {
			if d.Body == "rude" {
				return protocol.NewError(protocol.Forbidden, "be polite")
			}
			d.Body = strings.ToUpper(d.Body)
			return nil
		}),
	}
	cfg := testConfig(t)
	cfg.Messages.UnknownUsers = "store"
	cfg.Messages.AppName = "shop"
	h := newHost(t, cfg, options...)
	sent, err := h.bundle.Send(t.Context(), ws.Draft{To: []string{"bob", "eve"}, Body: "hi"})
	require.NoError(t, err)
	require.Nil(t, sent.Results[0].Err)
	require.Equal(t, protocol.Forbidden, sent.Results[1].Err.Code)
	record, err := store.Record(t.Context(), sent.Results[0].MessageID)
	require.NoError(t, err)
	require.Equal(t, "HI", record.Body)
	require.Equal(t, "system:shop", record.Sender)
	require.Equal(t, ws.Millis(at.UnixMilli()), record.CreatedAt)
	_, err = h.bundle.Send(t.Context(), ws.Draft{To: []string{"bob"}, Body: "rude"})
	require.ErrorContains(t, err, "be polite")

	_, err = app.New(testConfig(t), options...)
	require.ErrorContains(t, err, "app.WithRegisterer")
	h.stop()
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Empty(t, families, "Stop unregisters")
	require.NoFileExists(t, filepath.Join(cfg.Store.Dir, "LOCK"), "a given store is used")
	_, err = store.Record(context.Background(), sent.Results[0].MessageID)
	require.NoError(t, err, "and not closed")
}

type onlyTo struct {
	ws.AllowAll
	user string
}

func (o onlyTo) MaySend(_ context.Context, _, to string) error {
	if to != o.user {
		return protocol.NewError(protocol.Forbidden, "not to this one")
	}
	return nil
}

func TestBundle_Origins(t *testing.T) {
	cfg := testConfig(t)
	cfg.Server.Origins = []string{"https://ours.example"}
	h := newHost(t, cfg, app.WithAuthenticator(&users{}))
	for origin, want := range map[string]int{"https://ours.example": 101, "https://evil.example": 403, "http://localhost:5173": 403} {
		require.Equal(t, want, upgradeStatus(t, h.base, "alice", origin), origin)
	}
	request, err := http.NewRequestWithContext(t.Context(), "OPTIONS", h.base+"/api/v1/messages", nil)
	require.NoError(t, err)
	request.Header.Set("Origin", "https://ours.example")
	request.Header.Set("Access-Control-Request-Method", "POST")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	_ = response.Body.Close()
	require.Equal(t, "https://ours.example", response.Header.Get("Access-Control-Allow-Origin"))
}
