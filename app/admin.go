package app

import (
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yanlink/yanlink/handlers"
)

// maxProfile is the longest profile that may be asked for.
const maxProfile = 5 * time.Minute

// MountAdmin adds /metrics and /debug/pprof/… to a router that only operators reach. Metrics are shown where the
// registry is the Bundle's own or can be read; else the host shows them. It returns a row for each route.
//
// The profiles are written by hand over runtime/pprof because net/http/pprof, once imported, adds itself to the host's
// http.DefaultServeMux, which may be open to the world.
func (b *Bundle) MountAdmin(router gin.IRouter) []handlers.Access {
	return handlers.MountOpen(router, b.adminRoutes())
}

func (b *Bundle) adminRoutes() []handlers.Route {
	routes := []handlers.Route{
		handlers.ForOperators(http.MethodGet, "/debug/pprof/", profiles),
		handlers.ForOperators(http.MethodGet, "/debug/pprof/:name", profile),
	}
	if b.gatherer != nil {
		metrics := gin.WrapH(promhttp.HandlerFor(b.gatherer, promhttp.HandlerOpts{}))
		routes = append(routes, handlers.ForOperators(http.MethodGet, "/metrics", metrics))
	}
	return routes
}

// profiles lists what there is.
func profiles(c *gin.Context) {
	var b strings.Builder
	b.WriteString("profile?seconds=30\ntrace?seconds=1\n")
	for _, p := range pprof.Profiles() {
		b.WriteString(p.Name() + "?debug=1\n")
	}
	c.String(http.StatusOK, b.String())
}

func profile(c *gin.Context) {
	switch name := c.Param("name"); name {
	case "profile":
		timed(c, 30*time.Second, func() error { return pprof.StartCPUProfile(c.Writer) }, pprof.StopCPUProfile)
	case "trace":
		timed(c, time.Second, func() error { return trace.Start(c.Writer) }, trace.Stop)
	default:
		snapshot(c, pprof.Lookup(name))
	}
}

// timed writes what happens within ?seconds=.
func timed(c *gin.Context, length time.Duration, start func() error, stop func()) {
	if seconds, err := strconv.ParseFloat(c.Query("seconds"), 64); err == nil {
		length = time.Duration(seconds * float64(time.Second))
	}
	c.Header("Content-Type", "application/octet-stream")
	if err := start(); err != nil {
		c.String(http.StatusConflict, "it is being taken already: %v\n", err)
		return
	}
	pause(c.Request.Context(), min(length, maxProfile))
	stop()
}

func snapshot(c *gin.Context, p *pprof.Profile) {
	if p == nil {
		c.String(http.StatusNotFound, "no such profile\n")
		return
	}
	debug, err := strconv.Atoi(c.DefaultQuery("debug", "0"))
	if err != nil {
		c.String(http.StatusBadRequest, "debug is a number\n")
		return
	}
	if debug == 0 {
		c.Header("Content-Type", "application/octet-stream")
	}
	_ = p.WriteTo(c.Writer, debug) // whoever does not read it has gone
}
