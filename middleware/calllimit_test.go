package middleware_test

import (
	"log/slog"
	"net/http"
	"strconv"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws"
)

func TestLimitCalls(t *testing.T) {
	limited := func(perSecond float64) *world {
		return newWorld(t, func(engine *gin.Engine, log *slog.Logger) {
			engine.Use(middleware.Errors(log, nil), func(c *gin.Context) {
				who := ws.Identity{OpenID: c.GetHeader("user"), Service: c.GetHeader("service")}
				c.Request = c.Request.WithContext(ws.WithCaller(c.Request.Context(), &ws.Caller{Identity: who}))
			}, middleware.LimitCalls(perSecond))
			engine.GET("/", func(c *gin.Context) {
				if more, _ := strconv.Atoi(c.GetHeader("more")); more > 0 {
					ws.CallerFrom(c.Request.Context()).Charge(more)
				}
				c.Status(http.StatusNoContent)
			})
		})
	}
	as := func(w *world, header, name string) (int, string) {
		status, head, _ := w.call("GET", "/", map[string]string{header: name}, "")
		return status, head.Get("Retry-After")
	}
	w := limited(0.05)
	status, _ := as(w, "user", "alice")
	require.Equal(t, 204, status)
	status, after := as(w, "user", "alice")
	require.Equal(t, 429, status)
	require.Contains(t, []string{"20", "19"}, after, "the next one is 20 s away")
	status, _ = as(w, "user", "bob")
	require.Equal(t, 204, status, "one user's calls are not another's")
	for range 5 {
		status, _ = as(w, "service", "shop")
		require.Equal(t, 204, status)
	}
	status, _, _ = w.call("GET", "/", map[string]string{"user": "carl", "more": "100"}, "")
	require.Equal(t, 204, status, "whoever may call at all may do much at once")
	status, after = as(w, "user", "carl")
	require.Equal(t, 429, status)
	require.Contains(t, []string{"2020", "2019"}, after, "and pays for it")
	w = limited(0)
	for range 5 {
		status, _ = as(w, "user", "alice")
		require.Equal(t, 204, status)
	}
}
