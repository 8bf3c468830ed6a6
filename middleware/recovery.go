package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// Recovery turns a panic of a handler into an internal error and logs its stack. http.ErrAbortHandler passes: it is how
// a handler gives up a connection. It comes after Errors.
func Recovery(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			what := recover()
			if what == nil {
				return
			}
			if err, ok := what.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(what)
			}
			log.LogAttrs(c.Request.Context(), slog.LevelError, "a handler panicked",
				slog.String("requestId", ws.CallerFrom(c.Request.Context()).RequestID),
				slog.String("route", c.FullPath()),
				slog.String("panic", fmt.Sprint(what)),
				slog.String("stack", string(debug.Stack())))
			Refuse(c, protocol.NewError(protocol.Internal, "something went wrong on our side"))
		}()
		c.Next()
	}
}
