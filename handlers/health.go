package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// health is the answer to /healthz, and, with dependencies, to /readyz.
type health struct {
	Status       string            `json:"status"`
	Dependencies map[string]string `json:"dependencies,omitempty"`
}

// alive serves GET /healthz: who answers is alive, whatever else is broken.
func alive(c *gin.Context) { c.JSON(http.StatusOK, health{Status: "ok"}) }

// ready serves GET /readyz: 503 only while starting or draining. A broken dependency is told and no more, since it is
// the same for all nodes and must not take all of them out.
func (a *API) ready(c *gin.Context) { answerReady(c, a.engine.Health(c.Request.Context())) }

func answerReady(c *gin.Context, h ws.Health) {
	private(c)
	status := http.StatusOK
	if !h.Ready {
		status = http.StatusServiceUnavailable
		protocol.Draining.SetHeaders(c.Writer.Header())
	}
	c.JSON(status, health{Status: h.Status, Dependencies: h.Dependencies})
}
