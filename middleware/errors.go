package middleware

import (
	"log/slog"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// retryAfter is what Retry-After says, in seconds, beside a code that may go away by itself.
var retryAfter = map[protocol.Code]int{
	protocol.RateLimited:        1,
	protocol.Overloaded:         1,
	protocol.Draining:           1,
	protocol.StorageUnavailable: 2,
	protocol.SSOUnavailable:     2,
}

// Refuse ends a request with err, which Errors answers. An error that is no *protocol.Error becomes internal; its text
// goes to the log only.
func Refuse(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
}

// Errors logs and counts the last error that a request ended with, and answers it by its code's status unless the handler
// has. refused, if not nil, is told of each by its code. It comes after RequestID.
func Errors(log *slog.Logger, refused func(protocol.Code)) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Next()
		last := c.Errors.Last()
		if last == nil {
			return
		}
		coded := protocol.AsError(last.Err)
		if refused != nil {
			refused(coded.Code)
		}
		if coded.Cause != nil {
			log.LogAttrs(c.Request.Context(), severity(coded.Code), "a request failed",
				slog.String("requestId", ws.RequestIDFrom(c.Request.Context())),
				slog.String("route", c.FullPath()), slog.String("error", coded.Error()))
		}
		if !c.Writer.Written() {
			answer(c, coded)
		}
	}
}

func answer(c *gin.Context, coded *protocol.Error) {
	if seconds := retryAfter[coded.Code]; seconds > 0 {
		c.Header("Retry-After", strconv.Itoa(seconds))
	}
	if coded.Code == protocol.Unauthorized {
		c.Header("WWW-Authenticate", "Bearer")
	}
	c.Header("Cache-Control", "no-store")
	status, body := protocol.NewErrorBody(coded, ws.RequestIDFrom(c.Request.Context()))
	c.JSON(status, body)
}

func severity(code protocol.Code) slog.Level {
	if code == protocol.Internal {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// NotFound answers paths that nothing serves.
func NotFound(c *gin.Context) {
	Refuse(c, protocol.NewError(protocol.NotFound, "there is nothing at this path"))
}
