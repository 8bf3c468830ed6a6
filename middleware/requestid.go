package middleware

import (
	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

const requestIDHeader = "X-Request-Id"

// RequestID names each request, by the caller's own X-Request-Id where there is a sound one, and answers with it.
func RequestID() gin.HandlerFunc {
	return func(c *gin.Context) {
		id := c.GetHeader(requestIDHeader)
		if !protocol.ValidDevice(id) { // the same letters, and short
			id = string(protocol.AppendUUID(nil, protocol.NewRequestID()))
		}
		c.Header(requestIDHeader, id)
		c.Request = c.Request.WithContext(ws.WithCaller(c.Request.Context(), &ws.Caller{RequestID: id}))
	}
}
