package app_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// TestServer_WaitingRoom: while a database does not answer, the node does.
func TestServer_WaitingRoom(t *testing.T) {
	cfg := testConfig(t)
	cfg.Server.Listen, cfg.Server.Admin = freeAddress(t), freeAddress(t)
	cfg.Store = configs.Default().Store
	cfg.Store.Driver, cfg.Store.DSN = "postgres", "postgres://nobody@"+freeAddress(t)+"/nothing?sslmode=disable"
	log := wstest.NewLog(t)
	server, err := app.NewServer(cfg, app.WithLogger(log.Logger()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- server.Start(ctx) }()

	for _, address := range []string{cfg.Server.Listen, cfg.Server.Admin} {
		base := "http://" + address
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		}, patience, time.Millisecond)
		status, body := call(t, "GET", base+"/healthz", "", "")
		require.Equal(t, 200, status, body)
		status, body = call(t, "GET", base+"/readyz", "", "")
		require.Equal(t, 503, status)
		require.JSONEq(t, `{"status":"starting"}`, body)
		status, body = call(t, "POST", base+"/api/v1/messages?token=the-token", "", `{"to":["bob"],"message":"x"}`)
		require.Equal(t, 503, status)
		require.Contains(t, body, `"storage_unavailable"`)
		_, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/ws?token=the-token", nil)
		require.ErrorIs(t, err, websocket.ErrBadHandshake)
		require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
		require.NotEmpty(t, answer.Header.Get("Retry-After"))
		_ = answer.Body.Close()
	}
	cancel()
	require.Error(t, <-started)
	for _, address := range []string{cfg.Server.Listen, cfg.Server.Admin} {
		_, err := net.Dial("tcp", address)
		require.Error(t, err, "nobody listens any more")
	}
	require.NotContains(t, log.String(), "the-token")
}

// TestServer_LeavesWaitingRoom: requests that come while the ledger is being opened and after are all answered, from some point on
// by the node itself, and a connection that is left over from before does not hold it up.
func TestServer_LeavesWaitingRoom(t *testing.T) {
	ledger, err := pebblestore.Open(t.Context(), pebblestore.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { _ = ledger.Close() }()
	store := &openingStore{Store: ledger, open: make(chan struct{})}
	cfg := testConfig(t)
	cfg.Server.Listen = freeAddress(t)
	server, err := app.NewServer(cfg, app.WithAuthenticator(&users{}), app.WithStore(store))
	require.NoError(t, err)
	started := make(chan error, 1)
	go func() { started <- server.Start(t.Context()) }()
	defer func() { _ = server.Close() }()

	base := "http://" + cfg.Server.Listen
	var mute net.Conn
	require.Eventually(t, func() bool {
		mute, err = net.Dial("tcp", cfg.Server.Listen)
		return err == nil
	}, patience, time.Millisecond)
	defer mute.Close()
	status, _ := call(t, "GET", base+"/api/v1/me", "alice", "")
	require.Equal(t, 503, status)
	close(store.open)
	require.Eventually(t, func() bool {
		status, _ := call(t, "GET", base+"/api/v1/me", "alice", "") // call fails the test where there is no answer
		return status == 200
	}, patience, time.Millisecond)
	require.NoError(t, <-started)
	dial(t, base, "alice")
}

// openingStore does not say what it is before it is open.
type openingStore struct {
	ws.Store
	open chan struct{}
}

func (s *openingStore) Info() ws.LedgerInfo {
	<-s.open
	return s.Store.Info()
}

// exchangeMaybe asks somebody who may not be there yet.
func exchangeMaybe(t *testing.T, url string) (status int, err error) {
	t.Helper()
	response, err := http.Get(url) //nolint:noctx // it is the test's own server
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// freeAddress is an address where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}
