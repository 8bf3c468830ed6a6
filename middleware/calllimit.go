package middleware

import (
	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// LimitCalls refuses with 429 the calls of a user beyond so many a second, bursts of twice that; 0 is no limit. A call that
// does the work of several is charged for it by whoever serves it. Service keys have no limit: they act for many. It comes
// after Authenticate.
func LimitCalls(perSecond float64) gin.HandlerFunc {
	rates := newBuckets[string](perSecond)
	return func(c *gin.Context) {
		caller := ws.CallerFrom(c.Request.Context())
		user := caller.Identity.OpenID
		if user == "" {
			return
		}
		if wait := rates.take(user); wait > 0 {
			Refuse(c, &protocol.Error{Code: protocol.RateLimited, Message: "too many calls by this user", RetryAfter: wait})
			return
		}
		caller.Charge = func(n int) { rates.charge(user, n) }
	}
}
