package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// cancelled is the answer to DELETE /scheduled/{id}.
type cancelled struct {
	ScheduledID string `json:"scheduledId"`
	State       string `json:"state"`
}

// cancelScheduled serves DELETE /scheduled/{id}. A service key that may send may cancel anybody's.
func (a *API) cancelScheduled(c *gin.Context, who caller) error {
	ref, ok := ws.ParseScheduledRef(c.Param("id"))
	if !ok {
		return protocol.FieldError(protocol.BadField, "scheduledId", "must be the scheduledId of an earlier answer")
	}
	if err := a.engine.CancelScheduled(c.Request.Context(), who.OpenID, ref); err != nil {
		return err
	}
	c.JSON(http.StatusOK, cancelled{ScheduledID: ref.String(), State: "cancelled"})
	return nil
}
