package middleware

import (
	"net/http"
	"strings"
)

// tokenProtocol begins the entry of Sec-WebSocket-Protocol that carries a token, which is how a browser keeps it out of
// URLs.
const tokenProtocol = "yanlink.token."

// tokenOf returns the token that a request shows, and whether a cookie brought it: a browser sends one along whoever
// asked for the request.
func tokenOf(r *http.Request, cookie string) (token string, byCookie bool) {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), false
	}
	if token := takenToken(r); token != "" {
		return token, false
	}
	if cookie == "" {
		return "", false
	}
	if c, err := r.Cookie(cookie); err == nil && c.Value != "" {
		return c.Value, true
	}
	return "", false
}
