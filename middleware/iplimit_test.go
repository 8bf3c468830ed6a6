package middleware_test

import (
	"bufio"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/middleware"
)

// holding is a world whose route takes its connection over and keeps it until the client goes away.
func holding(t *testing.T, limits middleware.IPLimits) *world {
	t.Helper()
	return newWorld(t, func(e *gin.Engine, log *slog.Logger) {
		require.NoError(t, e.SetTrustedProxies([]string{"127.0.0.1"}))
		e.Use(gin.Recovery(), middleware.RequestID(), middleware.Errors(log, nil), middleware.LimitIP(limits))
		e.GET("/plain", func(c *gin.Context) { c.Status(204) })
		e.GET("/panic", func(*gin.Context) { panic("of a handler") })
		e.GET("/hold", func(c *gin.Context) {
			conn, _, err := c.Writer.Hijack()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
				_, _ = conn.Read(make([]byte, 1))
			}()
		})
	})
}

// dial opens a connection that the server holds, and returns it with its status line.
func (w *world) dial(ip string) (net.Conn, string) {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write([]byte("GET /hold HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + ip + "\r\n\r\n"))
	require.NoError(w.t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(w.t, err)
	return conn, line
}

func TestLimitIP_Connections(t *testing.T) {
	w := holding(t, middleware.IPLimits{Connections: 2})
	first, line := w.dial("10.0.0.1")
	require.Contains(t, line, "101")
	_, line = w.dial("10.0.0.1")
	require.Contains(t, line, "101")
	_, line = w.dial("10.0.0.1")
	require.Contains(t, line, "429")
	_, line = w.dial("10.0.0.2")
	require.Contains(t, line, "101", "others are not affected")

	require.NoError(t, first.Close())
	require.Eventually(t, func() bool {
		_, line := w.dial("10.0.0.1")
		return line == "HTTP/1.1 101 Switching Protocols\r\n"
	}, 10*time.Second, 10*time.Millisecond, "a closed connection gives its place back")

	for range 5 {
		status, _, _ := w.call("GET", "/plain", map[string]string{"X-Forwarded-For": "10.0.0.3"}, "")
		require.Equal(t, 204, status, "a request that takes nothing over gives its place back")
	}
	for range 5 {
		status, _, _ := w.call("GET", "/panic", map[string]string{"X-Forwarded-For": "10.0.0.4"}, "")
		require.Equal(t, 500, status, "so does one that panics")
	}
}

func TestLimitIP_NetworkOfIPv6(t *testing.T) {
	w := holding(t, middleware.IPLimits{Connections: 1})
	_, line := w.dial("2001:db8:0:1::1")
	require.Contains(t, line, "101")
	_, line = w.dial("2001:db8:0:1:ffff::2")
	require.Contains(t, line, "429", "one client has a whole /64")
	_, line = w.dial("2001:db8:0:2::1")
	require.Contains(t, line, "101")
}

func TestLimitIP_Rate(t *testing.T) {
	w := holding(t, middleware.IPLimits{ConnectsPerSecond: 0.5})
	address := map[string]string{"X-Forwarded-For": "10.0.0.1"}
	status, _, _ := w.call("GET", "/plain", address, "")
	require.Equal(t, 204, status)
	refused := w.refusal(429, "GET", "/plain", address)
	require.Equal(t, "rate_limited", refused["code"])
	_, head, _ := w.call("GET", "/plain", address, "")
	require.Equal(t, "2", head.Get("Retry-After"), "one in two seconds")
	status, _, _ = w.call("GET", "/plain", map[string]string{"X-Forwarded-For": "10.0.0.2"}, "")
	require.Equal(t, 204, status)
}

// Who runs a proxy and did not name it is told so, once.
func TestLimitIP_Unnamed(t *testing.T) {
	var told []string
	w := newWorld(t, func(e *gin.Engine, log *slog.Logger) {
		require.NoError(t, e.SetTrustedProxies(nil))
		e.Use(middleware.RequestID(), middleware.Errors(log, nil), middleware.LimitIP(middleware.IPLimits{
			ConnectsPerSecond: 0.001, Unnamed: func(proxy string) { told = append(told, proxy) },
		}))
		e.GET("/hold", func(c *gin.Context) { c.Status(204) })
	})
	_, line := w.dial("10.0.0.1")
	require.Contains(t, line, "204")
	require.Empty(t, told)
	for range 2 {
		_, line = w.dial("10.0.0.2")
		require.Contains(t, line, "429", "all clients of the proxy are one")
	}
	require.Equal(t, []string{"127.0.0.1"}, told)
}
