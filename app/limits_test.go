package app_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws/wstest"
)

// startServer starts the standalone program with a change to its configuration.
func startServer(t *testing.T, change func(*configs.Config)) *app.Server {
	t.Helper()
	cfg := testConfig(t)
	change(cfg)
	server, err := app.NewServer(cfg, app.WithAuthenticator(&users{}), app.WithLogger(wstest.NewLog(t).Logger()))
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

// raw opens a connection, writes, and returns what comes until the server closes.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = conn.Write([]byte(text))
	require.NoError(t, err)
	var all strings.Builder
	_, err = bufio.NewReader(conn).WriteTo(&all)
	require.NotErrorIs(t, err, net.ErrClosed)
	if netErr, ok := err.(net.Error); ok { //nolint:errorlint // it comes as it is
		require.False(t, netErr.Timeout(), "the server keeps a connection that sends nothing more")
	}
	return all.String()
}

func TestServer_HalfOpen(t *testing.T) {
	server := startServer(t, func(c *configs.Config) {
		c.Server.ReadHeaderTimeout, c.Server.HeaderBytes, c.Server.CallTimeout = 100*time.Millisecond, 4096, time.Second
	})
	raw(t, server.Addr(), "")
	raw(t, server.Addr(), "GET /ws?token=alice HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n")
	body := "POST /api/v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\nContent-Length: 100\r\n\r\n{"
	require.Contains(t, raw(t, server.Addr(), body), "HTTP/1.1 4")
	long := "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("x", 16<<10) + "\r\n\r\n"
	require.Contains(t, raw(t, server.Addr(), long), "431 ")
	for line, status := range map[string]string{ // whoever it is, and whatever is asked for
		"POST /api/v1/messages": "401 ", "POST /nowhere": "404 ", "GET /healthz": "200 ", "GET /docs": "200 ", "OPTIONS *": "",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, raw(t, server.Addr(), line+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"), status)
		})
	}
}

// The server of an application has no deadlines of its own.
func TestBundle_HalfOpen(t *testing.T) {
	cfg := testConfig(t)
	cfg.Server.CallTimeout, cfg.Server.Origins = time.Second, []string{"https://ours.example"}
	h := newHost(t, cfg, app.WithAuthenticator(&users{}))
	address := strings.TrimSuffix(strings.TrimPrefix(h.base, "http://"), "/im")
	for line, status := range map[string]string{
		"POST /im/api/v1/messages": "401 ", "GET /im/healthz": "200 ", "GET /im/docs": "200 ", "OPTIONS /im/api/v1/me": "204 ",
	} {
		for _, length := range []string{"Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n64\r\n{"} {
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				require.Contains(t, raw(t, address, line+" HTTP/1.1\r\nHost: localhost\r\n"+length), status)
			})
		}
	}
}

// Who guesses tokens and keys is soon not listened to any more, on whatever path.
func TestBundle_Refusals(t *testing.T) {
	cfg, sso := testConfig(t), &users{}
	cfg.Limits.RefusalsPerSecondPerIP = 0.01
	h := newHost(t, cfg, app.WithAuthenticator(sso))
	status, _ := call(t, http.MethodGet, h.base+"/api/v1/me", "", "", "X-API-Key", "a-guess")
	require.Equal(t, http.StatusUnauthorized, status)
	for path, header := range map[string][]string{"/api/v1/nodes": nil, "/ws": {"Connection", "Upgrade", "Upgrade", "websocket"}} {
		response, _ := exchange(t, http.MethodGet, h.base+path, "bad", "", header...)
		require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
		require.Contains(t, []string{"100", "99"}, response.Header.Get("Retry-After"))
	}
	require.Zero(t, sso.asked())
}

// The addresses that limits count are those of the clients, and a client has no say in which it is unless it comes
// through a trusted proxy.
func TestServer_TrustedProxies(t *testing.T) {
	for trusted, want := range map[string]int{"": 1, "127.0.0.1": 3} {
		server := startServer(t, func(c *configs.Config) {
			c.Limits.ConnectsPerSecondPerIP = 0.01
			if trusted != "" {
				c.Server.TrustedProxies = []string{trusted}
			}
		})
		let := 0
		for i := range 3 {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.Addr()+"/ws", http.NoBody)
			require.NoError(t, err)
			request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i))
			request.Header.Set("Connection", "Upgrade")
			request.Header.Set("Upgrade", "websocket")
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			if response.StatusCode == http.StatusTooManyRequests {
				require.Contains(t, []string{"100", "99"}, response.Header.Get("Retry-After"))
			} else {
				let++
			}
		}
		require.Equal(t, want, let, "trusted: %q", trusted)
	}
}
