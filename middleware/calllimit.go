package middleware

import (
	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// LimitCalls refuses with 429 the calls of a user beyond so many a second, bursts of twice that; 0 is no limit. Service
// keys have none: they act for many. It comes after Authenticate.
func LimitCalls(perSecond float64) gin.HandlerFunc {
	rates := newBuckets[string](perSecond)
	return func(c *gin.Context) {
		user := ws.CallerFrom(c.Request.Context()).Identity.OpenID
		if user == "" {
			return
		}
		if wait := rates.take(user); wait > 0 {
			Refuse(c, &protocol.Error{Code: protocol.RateLimited, Message: "too many calls by this user", RetryAfter: wait})
		}
	}
}
