package app

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/web"
	"github.com/yanlink/yanlink/ws"
)

// TokenFilter takes a token out of a request's URL and Sec-WebSocket-Protocol. Use it before the host's logger, so that no log line can hold a
// token.
func (b *Bundle) TokenFilter() gin.HandlerFunc { return middleware.TokenFilter() }

// Mount adds every path of the protocol, relative to router: /ws, /api/v1/…, /healthz, /readyz and /assets/…. Where the
// development SSO is on, its routes and below a prefix its page come along.
func (b *Bundle) Mount(router gin.IRouter) {
	group := router.Group("")
	group.Use(middleware.TokenFilter(), middleware.RequestID(), middleware.Errors(b.log, b.metrics.refusedRequest), middleware.Recovery(b.log))
	if len(b.cfg.Server.Origins) > 0 {
		group.Use(b.cors())
		b.mountPreflight(group)
	}
	b.mount(group, b.dev != nil && group.BasePath() != "/")
}

// mount adds the routes below the middleware that stands already.
func (b *Bundle) mount(group *gin.RouterGroup, page bool) {
	base := strings.TrimSuffix(group.BasePath(), "/")
	if b.dev != nil {
		b.dev.base = base
		group.Use(b.dev.learn)
		b.dev.mount(group)
	}
	api := handlers.New(engine{b.gateway, b}, handlers.Options{
		AdminRoles: b.cfg.Auth.AdminRoles, BodyBytes: int64(b.cfg.Server.BodyBytes),
	})
	api.Mount(group, b.authenticate(), middleware.LimitIP(middleware.IPLimits{
		Connections: b.cfg.Limits.ConnectionsPerIP, ConnectsPerSecond: b.cfg.Limits.ConnectsPerSecondPerIP,
	}))
	files := gin.WrapH(http.StripPrefix(base, web.Handler()))
	paths := []string{"/assets/*path"}
	if page {
		paths = append(paths, "/")
	}
	for _, path := range paths {
		group.GET(path, files)
		group.HEAD(path, files)
	}
}

func (b *Bundle) cors() gin.HandlerFunc {
	return middleware.CORS(b.allowOrigin, b.cfg.SSO.Cookie != "")
}

// mountPreflight gives the requests that browsers ask permission with a route, without which no middleware sees them.
func (b *Bundle) mountPreflight(group *gin.RouterGroup) {
	allowed := func(c *gin.Context) { c.Status(http.StatusNoContent) }
	group.OPTIONS("/api/v1/*path", allowed)
	group.OPTIONS("/dev/*path", allowed)
}

// engine is the gateway with the health of everything around it.
type engine struct {
	*ws.Gateway
	bundle *Bundle
}

var _ handlers.Engine = engine{}

// Health implements handlers.Engine.
func (e engine) Health(ctx context.Context) ws.Health { return e.bundle.Health(ctx) }
