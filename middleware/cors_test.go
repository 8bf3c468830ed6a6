package middleware_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/middleware"
)

// newCORSWorld lets pages of https://ours.example call.
func newCORSWorld(t *testing.T, credentials bool) *world {
	t.Helper()
	var w *world
	w = newWorld(t, func(e *gin.Engine, _ *slog.Logger) {
		e.Use(func(c *gin.Context) { c.Writer.Header().Add("Vary", "Accept-Encoding") })
		e.Use(middleware.CORS(func(origin, host string) bool {
			return origin == "https://ours.example" && host == w.server.Listener.Addr().String()
		}, credentials))
		e.GET("/", func(c *gin.Context) { c.String(200, "body") })
		e.OPTIONS("/", func(c *gin.Context) { c.String(200, "options") })
	})
	return w
}

func TestCORS_Allowed(t *testing.T) {
	for credentials, want := range map[bool]string{true: "true", false: ""} {
		w := newCORSWorld(t, credentials)
		status, head, body := w.call("GET", "/", map[string]string{"Origin": "https://ours.example"}, "")
		require.Equal(t, []any{200, "body"}, []any{status, body})
		require.Equal(t, "https://ours.example", head.Get("Access-Control-Allow-Origin"))
		require.Equal(t, want, head.Get("Access-Control-Allow-Credentials"), "only where a cookie may travel along")
		for _, exposed := range []string{"etag", "retry-after", "x-request-id"} {
			require.Contains(t, strings.ToLower(head.Get("Access-Control-Expose-Headers")), exposed)
		}
		require.Equal(t, []string{"Accept-Encoding", "Origin"}, head.Values("Vary"))

		preflight := map[string]string{"Origin": "https://ours.example", "Access-Control-Request-Method": "POST"}
		status, head, _ = w.call("OPTIONS", "/", preflight, "")
		require.Equal(t, 204, status)
		require.Equal(t, "https://ours.example", head.Get("Access-Control-Allow-Origin"))
		require.Contains(t, head.Get("Access-Control-Allow-Headers"), "Idempotency-Key")
		require.Contains(t, head.Get("Access-Control-Allow-Headers"), "If-None-Match")
		require.Equal(t, want, head.Get("Access-Control-Allow-Credentials"))
	}
}

// Whoever is no page of another origin is served as ever, and told nothing: programs, and their browsers keep from others
// what is not theirs.
func TestCORS_Others(t *testing.T) {
	w := newCORSWorld(t, true)
	for _, origin := range []string{"", w.server.URL, "https://theirs.example", "null"} {
		status, head, body := w.call("GET", "/", map[string]string{"Origin": origin}, "")
		require.Equal(t, []any{200, "body"}, []any{status, body}, origin)
		require.Empty(t, head.Get("Access-Control-Allow-Origin"), origin)
		require.Empty(t, head.Get("Access-Control-Allow-Credentials"), origin)
		require.Contains(t, head.Values("Vary"), "Origin", "a cache may keep the answer, and show it to a page that is allowed: %q", origin)
	}
	_, head, body := w.call("OPTIONS", "/", map[string]string{"Origin": "https://ours.example"}, "")
	require.Equal(t, "options", body, "it asks for no permission")
	require.Empty(t, head.Get("Access-Control-Allow-Methods"))
	status, head, _ := w.call("OPTIONS", "/", map[string]string{"Origin": "https://theirs.example", "Access-Control-Request-Method": "POST"}, "")
	require.Equal(t, 204, status)
	require.Empty(t, head.Get("Access-Control-Allow-Origin"))
	require.Empty(t, head.Get("Access-Control-Allow-Methods"))
}
