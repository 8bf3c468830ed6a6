package handlers

import (
	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// fail ends the request with err in the one shape of errors. It stands in c.Errors too, with its cause, for what
// logs and counts it and takes it out again.
func fail(c *gin.Context, err error) {
	coded := protocol.AsError(err)
	_ = c.Error(coded)
	coded.SetHeaders(c.Writer.Header())
	c.AbortWithStatusJSON(protocol.NewErrorBody(coded, ws.CallerFrom(c.Request.Context()).RequestID))
}
