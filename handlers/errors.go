package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// retryAfter is what a client is told to wait, in seconds, when the same request may succeed later.
const retryAfter = "2"

// fail ends the request with err in the one shape of errors. It stands in c.Errors too, with its cause, for whoever logs
// and counts.
func fail(c *gin.Context, err error) {
	coded := protocol.AsError(err)
	_ = c.Error(coded)
	private(c)
	status, body := protocol.NewErrorBody(coded, ws.RequestIDFrom(c.Request.Context()))
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		c.Header("Retry-After", retryAfter)
	case http.StatusUnauthorized:
		c.Header("WWW-Authenticate", "Bearer")
	case http.StatusUpgradeRequired:
		// A 426 has to say to what.
		c.Header("Upgrade", "websocket")
		c.Header("Connection", "Upgrade")
	}
	c.AbortWithStatusJSON(status, body)
}
