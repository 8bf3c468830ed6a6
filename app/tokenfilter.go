package app

import (
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/middleware"
)

// TokenFilter takes a token out of the URL and Sec-WebSocket-Protocol of requests to the bundle's paths, and of every handshake, in
// case somebody had the path wrong. Use it before the host's logger, so that no log line can hold a token. What ?token= means to
// other routes of the host stays as it is.
func (b *Bundle) TokenFilter() gin.HandlerFunc {
	filter := middleware.TokenFilter()
	return func(c *gin.Context) {
		if c.IsWebsocket() || b.serves(c.Request.URL.Path) {
			filter(c)
		}
	}
}

// serves reports whether a path may be one of the bundle's, with a slip in it or without.
func (b *Bundle) serves(path string) bool {
	bases := b.bases.Load()
	if bases == nil {
		return true // it is mounted nowhere that is known
	}
	asked := segments(path)
	return slices.ContainsFunc(*bases, func(base []string) bool {
		rest, below := under(base, asked)
		own := slices.ContainsFunc(base, func(segment string) bool { return segment[0] != ':' && segment[0] != '*' })
		return below && (own || slices.ContainsFunc(ownPaths, func(path []string) bool {
			return len(rest) >= len(path) && slices.Equal(rest[:len(path)], path)
		}))
	})
}

// ownPaths are how the bundle's paths begin that a token may be meant for, where no name of its own is above them.
var ownPaths = [][]string{{"ws"}, {"api", "v1"}, {"rocketmq"}, {"dev"}}

func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// under returns what of a path is below a base, whose segments may be parameters, as Gin writes them.
func under(base, path []string) (rest []string, below bool) {
	for i, segment := range base {
		switch {
		case segment[0] == '*':
			return path[min(i, len(path)):], true
		case i >= len(path), segment[0] != ':' && segment != path[i]:
			return nil, false
		}
	}
	return path[len(base):], true
}

// noteBase notes where the bundle is mounted.
func (b *Bundle) noteBase(base string) {
	bases := [][]string{segments(base)}
	if known := b.bases.Load(); known != nil {
		bases = append(bases, *known...)
	}
	b.bases.Store(&bases)
}
