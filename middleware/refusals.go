package middleware

import (
	"net/netip"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws/protocol"
)

// refusals bound how often a client address is refused for what it shows: guessing is slow then, and what is made up does
// not reach the SSO as fast as it is sent. Who is let in costs nothing.
type refusals struct {
	rates   *buckets[netip.Addr]
	unnamed func(*gin.Context)
}

func newRefusals(perSecond float64, unnamed func(proxy string)) *refusals {
	return &refusals{newBuckets[netip.Addr](perSecond), onceUnnamed(unnamed)}
}

// check returns why nothing that the client shows is looked at now, nil if it is.
func (r *refusals) check(c *gin.Context) error {
	wait := r.rates.wait(clientNetworkOf(c.ClientIP()))
	if wait == 0 {
		return nil
	}
	r.unnamed(c)
	return &protocol.Error{Code: protocol.RateLimited, Message: "too many requests from this address that were refused", RetryAfter: wait}
}

// count counts err if it says that what the client showed does not let it in.
func (r *refusals) count(c *gin.Context, err error) {
	if code := protocol.AsError(err).Code; code == protocol.Unauthorized || code == protocol.Forbidden {
		r.rates.charge(clientNetworkOf(c.ClientIP()), 1)
	}
}
