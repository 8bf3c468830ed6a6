package middleware

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// BodyDeadline gives clients so long to send a body, whoever they are and whatever becomes of the request: what a handler
// left unread net/http reads before the answer leaves, and waits for it without an end. It stands first.
func BodyDeadline(timeout time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.ContentLength != 0 { // else the deadline would be one of the wait for the client's going away
			_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(timeout)) // where the server can; it begins the next request with its own
		}
	}
}
