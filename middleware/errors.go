package middleware

import (
	"log/slog"
	"net/http"
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

// errorBody is the one form of an error.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code      protocol.Code `json:"code"`
	Message   string        `json:"message"`
	Field     string        `json:"field,omitempty"`
	Temporary bool          `json:"temporary,omitempty"`
	RequestID string        `json:"requestId"`
}

// Refuse ends a request with err, which Errors answers. An error that is no *protocol.Error becomes internal; its text
// goes to the log only.
func Refuse(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
}

// Errors answers the last error that a request ended with, by its code's status. refused, if not nil, is told of each
// by its code. It comes after RequestID.
func Errors(log *slog.Logger, refused func(protocol.Code)) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Next()
		last := c.Errors.Last()
		if last == nil || c.Writer.Written() {
			return
		}
		coded := protocol.AsError(last.Err)
		if refused != nil {
			refused(coded.Code)
		}
		id := ws.CallerFrom(c.Request.Context()).RequestID
		if coded.Cause != nil {
			log.LogAttrs(c.Request.Context(), severity(coded.Code), "a request failed",
				slog.String("requestId", id), slog.String("route", c.FullPath()), slog.String("error", coded.Error()))
		}
		answer(c, coded, id)
	}
}

func answer(c *gin.Context, coded *protocol.Error, id string) {
	status := coded.Code.Status()
	if seconds := retryAfter[coded.Code]; seconds > 0 {
		c.Header("Retry-After", strconv.Itoa(seconds))
	}
	switch status {
	case http.StatusUnauthorized:
		c.Header("WWW-Authenticate", "Bearer")
	case http.StatusUpgradeRequired:
		c.Header("Upgrade", "websocket")
		c.Header("Connection", "Upgrade")
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(status, errorBody{errorDetail{
		Code: coded.Code, Message: coded.Message, Field: coded.Field, Temporary: coded.Code.Temporary(), RequestID: id,
	}})
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
