package middleware

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// tokenProtocol begins the entry of Sec-WebSocket-Protocol that carries a token, which is how a browser keeps it out of
// URLs.
const tokenProtocol = "yanlink.token."

// tokenOf returns the token that a request shows, and whether a cookie brought it: a browser sends one along whoever
// asked for the request. One that TokenFilter took counts for a handshake alone: whoever can send a header keeps it out of
// URLs, which other programs log.
func tokenOf(c *gin.Context, cookie string) (token string, byCookie bool) {
	r := c.Request
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), false
	}
	if token := takenToken(r); token != "" && c.IsWebsocket() {
		return token, false
	}
	if cookie == "" {
		return "", false
	}
	if kept, err := r.Cookie(cookie); err == nil && kept.Value != "" {
		return kept.Value, true
	}
	return "", false
}
