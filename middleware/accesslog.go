package middleware

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
)

// AccessLog writes one line per request: no query, no header, no body. Requests that went well are logged at debug.
// It comes after RequestID.
func AccessLog(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		began := time.Now()
		c.Next()
		caller := ws.CallerFrom(c.Request.Context())
		log.LogAttrs(c.Request.Context(), accessLevel(c.Writer.Status()), "request",
			slog.String("method", c.Request.Method),
			slog.String("path", c.Request.URL.Path),
			slog.Int("status", c.Writer.Status()),
			slog.Int("bytes", max(0, c.Writer.Size())),
			slog.Duration("took", time.Since(began)),
			slog.String("ip", c.ClientIP()),
			slog.String("user", caller.Identity.OpenID+caller.Identity.Service),
			slog.String("requestId", caller.RequestID))
	}
}

func accessLevel(status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return slog.LevelWarn
	case status >= http.StatusBadRequest:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
