package middleware

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// serviceKeyHeader carries a service key.
const serviceKeyHeader = "X-Api-Key"

// AuthOptions say who may come in.
type AuthOptions struct {
	Authenticator ws.Authenticator // required
	// Redeem returns the token that a one-use ticket stands for, and what is none as it is. Nil: there are no tickets.
	Redeem      func(ctx context.Context, shown string) (token string, err error)
	Cookie      string // that may carry a token; empty for none
	ServiceKeys []ServiceKey
	AllowOrigin func(origin, host string) bool // origins besides the same host from which a cookie counts; nil: none
	// RefusalsPerSecond is how many requests of one client address are refused with 401 or 403, bursts of twice that; 0 is no
	// limit. The address is the one of LimitIP.
	RefusalsPerSecond float64
	Unnamed           func(proxy string) // as in IPLimits; may be nil
}

// Authenticate finds out who calls and puts it into the request's context as a ws.Caller. It refuses with 401 who shows
// nothing that holds, with 503 while nobody can tell, and with 429, before anybody is asked, whose address has been refused too
// often. It comes after TokenFilter and Errors.
func Authenticate(opt AuthOptions) gin.HandlerFunc {
	keys := newServiceKeys(opt.ServiceKeys)
	refusals := newRefusals(opt.RefusalsPerSecond, opt.Unnamed)
	return func(c *gin.Context) {
		if err := refusals.check(c); err != nil {
			Refuse(c, err)
			return
		}
		caller, err := opt.caller(c, keys)
		if err != nil {
			refusals.count(c, err)
			Refuse(c, err)
			return
		}
		ctx := c.Request.Context()
		caller.RequestID = ws.CallerFrom(ctx).RequestID
		c.Request = c.Request.WithContext(ws.WithCaller(ctx, caller))
	}
}

func (o *AuthOptions) caller(c *gin.Context, keys *serviceKeys) (*ws.Caller, error) {
	if shown := c.GetHeader(serviceKeyHeader); shown != "" {
		identity, ok := keys.find(shown)
		if !ok {
			return nil, protocol.NewError(protocol.Unauthorized, "the service key is not valid")
		}
		return &ws.Caller{Identity: identity}, nil
	}
	token, byCookie := tokenOf(c, o.Cookie)
	if token == "" {
		return nil, protocol.NewError(protocol.Unauthorized, "a token is needed: Authorization: Bearer …")
	}
	if byCookie && !o.sameSite(c) {
		return nil, protocol.NewError(protocol.Forbidden, "the page's origin is not allowed; see server.origins")
	}
	if o.Redeem != nil {
		var err error
		if token, err = o.Redeem(c.Request.Context(), token); err != nil {
			return nil, shownError(err)
		}
	}
	identity, err := o.Authenticator.Authenticate(c.Request.Context(), ws.Credentials{Token: token})
	if err != nil {
		return nil, shownError(err)
	}
	return &ws.Caller{Identity: identity, Token: token}, nil
}

// sameSite reports whether a request with a cookie comes from a page that may make it.
func (o *AuthOptions) sameSite(c *gin.Context) bool {
	origin := c.GetHeader("Origin")
	if origin == "" {
		return true // no browser, or a navigation, which changes nothing here
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, c.Request.Host) {
		return true
	}
	return o.AllowOrigin != nil && o.AllowOrigin(origin, c.Request.Host)
}

// shownError is what a client is told of an Authenticator's error.
func shownError(err error) error {
	if errors.Is(err, ws.ErrInvalidToken) {
		return protocol.NewError(protocol.Unauthorized, "the token is not valid or has ended")
	}
	var coded *protocol.Error
	if errors.As(err, &coded) {
		return coded
	}
	return &protocol.Error{Code: protocol.SSOUnavailable, Message: "the token cannot be checked now; try again later", Cause: err}
}
