package middleware

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// queryTokenKey is the context key of a token that came in the query.
type queryTokenKey struct{}

// TokenFilter takes ?token= out of the request's URL and keeps it for Authenticate. It stands before every logger, the
// host's own included, so that no log line can hold a token. It changes the request in place: what wraps the whole
// Gin engine sees the filtered URL as well.
func TokenFilter() gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request
		kept, token := cutToken(r.URL.RawQuery)
		if kept == r.URL.RawQuery {
			return
		}
		r.URL.RawQuery = kept
		path, _, _ := strings.Cut(r.RequestURI, "?")
		r.RequestURI = path
		if kept != "" {
			r.RequestURI += "?" + kept
		}
		if token != "" {
			c.Request = r.WithContext(context.WithValue(r.Context(), queryTokenKey{}, token))
		}
	}
}

// cutToken returns the query without any parameter named token, and the first of their values that is not empty.
func cutToken(query string) (kept, token string) {
	if !strings.Contains(query, "token") && !strings.Contains(query, "%") {
		return query, ""
	}
	parts := strings.Split(query, "&")
	others := parts[:0:0]
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err != nil || plain != "token" {
			others = append(others, part)
			continue
		}
		if plain, err := url.QueryUnescape(value); err == nil && token == "" {
			token = plain
		}
	}
	return strings.Join(others, "&"), token
}

func queryToken(r *http.Request) string {
	token, _ := r.Context().Value(queryTokenKey{}).(string)
	return token
}
