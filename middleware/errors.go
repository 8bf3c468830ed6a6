package middleware

import (
	"log/slog"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// Refuse ends a request with err, which Errors answers. An error that is no *protocol.Error becomes internal; its text
// goes to the log only.
func Refuse(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
}

// Errors logs and counts the last error that what comes after it ended a request with, and answers it by its code's status unless
// the handler has. None is left in c.Errors: a host may answer by those, which then would be a second answer and show the cause.
// refused, if not nil, is told of each by its code. It comes after RequestID.
func Errors(log *slog.Logger, refused func(protocol.Code)) gin.HandlerFunc {
	return func(c *gin.Context) {
		before := len(c.Errors)
		c.Next()
		last := c.Errors[before:].Last()
		if last == nil {
			return
		}
		c.Errors = c.Errors[:before]
		coded := protocol.AsError(last.Err)
		if refused != nil {
			refused(coded.Code)
		}
		if coded.Cause != nil {
			log.LogAttrs(c.Request.Context(), severity(coded.Code), "a request failed",
				slog.String("requestId", ws.CallerFrom(c.Request.Context()).RequestID),
				slog.String("route", c.FullPath()), slog.String("error", coded.Error()))
		}
		if !c.Writer.Written() {
			answer(c, coded)
		}
	}
}

func answer(c *gin.Context, coded *protocol.Error) {
	coded.SetHeaders(c.Writer.Header())
	c.JSON(protocol.NewErrorBody(coded, ws.CallerFrom(c.Request.Context()).RequestID))
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
