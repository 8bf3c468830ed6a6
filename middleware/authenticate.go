package middleware

import (
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
	Cookie        string           // that may carry a token; empty for none
	ServiceKeys   []ServiceKey
	AllowOrigin   func(origin, host string) bool // origins besides the same host from which a cookie counts; nil: none
}

// Authenticate finds out who calls and puts it into the request's context as a ws.Caller. It refuses with 401 who shows
// nothing that holds, and with 503 while nobody can tell. It comes after TokenFilter and Errors.
func Authenticate(opt AuthOptions) gin.HandlerFunc {
	keys := newServiceKeys(opt.ServiceKeys)
	return func(c *gin.Context) {
		caller, err := opt.caller(c, keys)
		if err != nil {
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
	token, byCookie := tokenOf(c.Request, o.Cookie)
	if token == "" {
		return nil, protocol.NewError(protocol.Unauthorized, "a token is needed: Authorization: Bearer …")
	}
	if byCookie && !o.sameSite(c) {
		return nil, protocol.NewError(protocol.Forbidden, "the page's origin is not allowed; see server.origins")
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
