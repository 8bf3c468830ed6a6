package app

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/web"
)

// besides is what is not mounted everywhere.
type besides struct {
	page       bool // the demo at "/"
	preflights bool // what browsers ask before a page of another origin calls
}

// openRoutes are the routes below base that anybody may have, besides the API's own.
func (b *Bundle) openRoutes(base string, more besides) []handlers.Route {
	routes := files(base, more.page)
	if b.dev != nil {
		routes = append(routes, b.dev.routes()...)
	}
	if more.preflights {
		routes = append(routes, b.preflights()...)
	}
	return routes
}

// files are the pages and what they load.
func files(base string, page bool) (routes []handlers.Route) {
	serve := gin.WrapH(http.StripPrefix(base, web.Handler()))
	paths := []string{"/assets/*path", "/docs"}
	if page {
		paths = append(paths, "/")
		if base != "" {
			paths = append(paths, "") // it sends on to the one with the slash
		}
	}
	for _, path := range paths {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			routes = append(routes, handlers.ForAnybody(method, path, serve))
		}
	}
	return routes
}

// routes are those of the development SSO.
func (d *devSSO) routes() []handlers.Route {
	return []handlers.Route{
		handlers.ForAnybody(http.MethodPost, devLogin, gin.WrapF(d.Login)),
		handlers.ForAnybody(http.MethodGet, devCheck, gin.WrapF(d.Check)),
	}
}

// preflights are routes for the requests by which browsers ask permission: without a route no middleware sees them.
func (b *Bundle) preflights() []handlers.Route {
	paths := []string{"/api/v1/*path"}
	if b.dev != nil {
		paths = append(paths, "/dev/*path")
	}
	routes := make([]handlers.Route, len(paths))
	for i, path := range paths {
		routes[i] = handlers.ForAnybody(http.MethodOptions, path, func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
	return routes
}
