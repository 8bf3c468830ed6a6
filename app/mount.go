package app

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws"
)

// Mount adds every path of the protocol, relative to router: /ws, /api/v1/…, /healthz, /readyz, /openapi.json, /docs and /assets/…. Where the
// development SSO is on, its routes and below a prefix its page come along. It returns who may do what there, a row for each
// route. Paths with the id of a user or session in which there is a slash are found where the host's gin.Engine has UseRawPath.
func (b *Bundle) Mount(router gin.IRouter) []handlers.Access {
	group := router.Group("")
	group.Use(
		middleware.BodyDeadline(b.cfg.Server.CallTimeout), middleware.TokenFilter(), middleware.RequestID(),
		middleware.Errors(b.log, b.metrics.refusedRequest), middleware.Recovery(b.log),
	)
	elsewhere := len(b.cfg.Server.Origins) > 0
	if elsewhere {
		group.Use(b.cors())
	}
	rows := b.mount(group, besides{page: b.dev != nil && group.BasePath() != "/", preflights: elsewhere})
	closeTwins(group, rows)
	return rows
}

// unnamedProxy says what to do where the limits of one client hold for all that come through a proxy.
func (b *Bundle) unnamedProxy(proxy string) {
	b.log.Warn("a proxy whose header is not believed reached the limits of one client address, which hold for all its clients together; "+
		"name it in server.trustedProxies (or by SetTrustedProxies of the application's own router)", "proxy", proxy)
}

// mount adds the routes below the middleware that stands already, and returns their rows.
func (b *Bundle) mount(group *gin.RouterGroup, more besides) []handlers.Access {
	base := strings.TrimSuffix(group.BasePath(), "/")
	b.noteBase(base)
	if b.dev != nil {
		b.dev.base = base
		group.Use(b.dev.learn)
	}
	api := handlers.New(engine{b.gateway, b}, handlers.Options{
		AdminRoles: b.cfg.Auth.AdminRoles, BodyBytes: int64(b.cfg.Server.BodyBytes), Tickets: b.tickets, Open: b.openRoutes(base, more),
		CallTimeout: b.cfg.Server.CallTimeout, QueryTimeout: b.cfg.Server.QueryTimeout,
	})
	return api.Mount(group, b.authenticate(), middleware.LimitCalls(b.cfg.Limits.CallsPerSecondPerUser), middleware.LimitIP(middleware.IPLimits{
		Connections: b.cfg.Limits.ConnectionsPerIP, ConnectsPerSecond: b.cfg.Limits.ConnectsPerSecondPerIP, Gate: b.gate, Unnamed: b.unnamedProxy,
	}))
}

func (b *Bundle) cors() gin.HandlerFunc {
	return middleware.CORS(b.allowOrigin, b.cfg.SSO.Cookie != "")
}

// engine is the gateway with the health of everything around it.
type engine struct {
	*ws.Gateway
	bundle *Bundle
}

var _ handlers.Engine = engine{}

// Health implements handlers.Engine.
func (e engine) Health(ctx context.Context) ws.Health { return e.bundle.Health(ctx) }
