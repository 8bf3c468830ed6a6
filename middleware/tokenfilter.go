package middleware

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// takenTokenKey is the context key of a token that TokenFilter took out of a request.
type takenTokenKey struct{}

// TokenFilter takes ?token= out of the request's URL, and yanlink.token.… out of Sec-WebSocket-Protocol, and keeps the
// token for Authenticate, where it counts for a handshake. It stands before every logger, the host's own included, so that
// no log line can hold a token. Gin's own redirects come before all middleware: a router whose paths are others than those
// of a bundle sets RedirectTrailingSlash to false, or repeats in Location what somebody put into its URLs.
// It changes the request in place: what wraps the whole Gin engine sees the filtered request as well.
func TokenFilter() gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request
		token := takeProtocolToken(r.Header)
		if kept, inQuery := cutToken(r.URL.RawQuery); kept != r.URL.RawQuery {
			token = cmp.Or(token, inQuery)
			r.URL.RawQuery = kept
			path, _, _ := strings.Cut(r.RequestURI, "?")
			r.RequestURI = path
			if kept != "" {
				r.RequestURI += "?" + kept
			}
		}
		if token != "" {
			c.Request = r.WithContext(context.WithValue(r.Context(), takenTokenKey{}, token))
		}
	}
}

// cutToken returns the query without any parameter named token, and the first of their values that is not empty. A
// name in capitals or behind a semicolon is a client's mistake, and its token no less good.
func cutToken(query string) (kept, token string) {
	if !strings.Contains(strings.ToLower(query), "token") && !strings.Contains(query, "%") {
		return query, ""
	}
	parts := strings.Split(query, "&")
	others := parts[:0:0]
	for _, part := range parts {
		before, value, found := cutPart(part)
		if !found || before != "" {
			others = append(others, before)
		}
		if plain, err := url.QueryUnescape(value); err == nil && token == "" {
			token = plain
		}
	}
	return strings.Join(others, "&"), token
}

// cutPart returns what stands before a token's parameter, and its value up to the end: a token may hold a semicolon.
func cutPart(part string) (before, value string, found bool) {
	for at := 0; ; {
		name, value, _ := strings.Cut(part[at:], "=")
		name, _, _ = strings.Cut(name, ";")
		if plain, err := url.QueryUnescape(name); err == nil && strings.EqualFold(plain, "token") {
			return strings.TrimSuffix(part[:at], ";"), value, true
		}
		next := strings.IndexByte(part[at:], ';')
		if next < 0 {
			return part, "", false
		}
		at += next + 1
	}
}

// takeProtocolToken leaves the other entries of Sec-WebSocket-Protocol where they are, to be negotiated.
func takeProtocolToken(header http.Header) (token string) {
	const field = "Sec-Websocket-Protocol"
	var others []string
	found := false
	for _, line := range header[field] {
		for entry := range strings.SplitSeq(line, ",") {
			entry = strings.TrimSpace(entry)
			encoded, ok := strings.CutPrefix(entry, tokenProtocol)
			if !ok {
				others = append(others, entry)
				continue
			}
			found = true
			if plain, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "=")); err == nil && token == "" {
				token = string(plain)
			}
		}
	}
	switch {
	case !found:
	case len(others) == 0:
		header.Del(field)
	default:
		header.Set(field, strings.Join(others, ", "))
	}
	return token
}

func takenToken(r *http.Request) string {
	token, _ := r.Context().Value(takenTokenKey{}).(string)
	return token
}
