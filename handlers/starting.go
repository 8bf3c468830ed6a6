package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// MountStarting adds to router what a node answers before there is an API, since its ledger is not open yet: that it is alive and
// not ready, and 503 to all else.
func MountStarting(router *gin.Engine) {
	var routes []Route
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		routes = append(routes, ForAnybody(method, "/healthz", alive), ForAnybody(method, "/readyz", starting))
	}
	MountOpen(router, routes)
	router.NoRoute(func(c *gin.Context) {
		fail(c, protocol.NewError(protocol.StorageUnavailable, "the node is starting and has not opened its ledger yet; try again"))
	})
}

// starting serves GET /readyz.
func starting(c *gin.Context) { answerReady(c, ws.Health{Status: "starting"}) }
