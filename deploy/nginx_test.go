//go:build deploy

package deploy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/freeport"
)

// backend stands where a node would, and says what came to it.
type backend struct {
	*httptest.Server
	draining atomic.Bool
}

func newBackend(t *testing.T) *backend {
	b := &backend{}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) serve(w http.ResponseWriter, r *http.Request) {
	said := fmt.Sprintf("%s host=%s for=%s forwarded=%q id=%t", r.URL, r.Host, r.Header["X-Forwarded-For"], r.Header.Get("Forwarded"), len(r.Header.Get("X-Request-Id")) == 32)
	if b.draining.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if !websocket.IsWebSocketUpgrade(r) {
		_, _ = io.WriteString(w, said)
		return
	}
	upgrader := websocket.Upgrader{} // which compares Origin with Host
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.WriteMessage(websocket.TextMessage, []byte(said))
}

// proxied runs nginx itself, as nginx.conf says, in front of these, and returns its address and its log.
func proxied(t *testing.T, nodes []*backend) (addr, log string) {
	t.Helper()
	addr, err := freeport.Address()
	require.NoError(t, err)
	dir := t.TempDir()
	log = filepath.Join(dir, "access.log")
	text := strings.NewReplacer(
		"listen 8080;", "listen "+addr+";", "access_log /dev/stdout ", "access_log "+log+" ", "/tmp/nginx", filepath.Join(dir, "nginx"),
		"worker_rlimit_nofile 200000;", "", "worker_connections 65536;", "worker_connections 64;",
	).Replace(string(read(t, "nginx.conf")))
	for i, node := range nodes {
		text = strings.Replace(text, fmt.Sprintf("server yanlink-%d:8084", i+1), "server "+node.Listener.Addr().String(), 1)
	}
	path := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NotContains(t, text, "yanlink-")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program(t, "nginx"), "-c", path, "-e", "stderr", "-g", "daemon off;")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 20*time.Second, 20*time.Millisecond)
	return addr, log
}

// TestNginx_Passes holds what reaches a node through the proxy: the host that the browser sees, the client's own address whatever
// the client says, sockets, and requests that another node has refused because it drains.
func TestNginx_Passes(t *testing.T) {
	nodes := []*backend{newBackend(t), newBackend(t), newBackend(t)}
	addr, log := proxied(t, nodes)
	forged := http.Header{"X-Forwarded-For": {"10.1.2.3"}, "Forwarded": {"for=10.1.2.3"}, "Origin": {"http://" + addr}}
	want := func(path string) string { return path + " host=" + addr + ` for=[127.0.0.1] forwarded="" id=true` }

	get := func(path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, http.NoBody)
		require.NoError(t, err)
		req.Header = forged.Clone()
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	status, body := get("/api/v1/me?x=1")
	require.Equal(t, []any{http.StatusOK, want("/api/v1/me?x=1")}, []any{status, body})
	status, _ = get("/readyz")
	require.Equal(t, http.StatusNotFound, status)

	nodes[0].draining.Store(true)
	nodes[1].draining.Store(true)
	for range 6 {
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+addr+"/ws?token=secret", forged)
		require.NoError(t, err)
		_, said, err := conn.ReadMessage()
		require.NoError(t, err)
		require.Equal(t, want("/ws?token=secret"), string(said))
		require.NoError(t, resp.Body.Close())
		require.NoError(t, conn.Close())
	}
	logged, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(logged), `"uri":"/ws"`)
	require.NotContains(t, string(logged), "secret")
}
