package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws/protocol"
)

// readMark is the answer to POST /conversations/{id}/read.
type readMark struct {
	ConversationID string `json:"conversationId"`
	ReadSeq        uint64 `json:"readSeq"` // where the mark stands now
}

// markRead serves POST /conversations/{id}/read.
func (a *API) markRead(c *gin.Context, who caller) error {
	id, err := protocol.ParseConversationID(c.Param("id"))
	if err != nil {
		return protocol.FieldError(protocol.BadField, "conversationId", err.Error())
	}
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return err
	}
	if !body.given("seq") {
		return protocol.FieldError(protocol.MissingField, "seq", "missing: up to where you have read")
	}
	seq, err := seqOf("seq", body["seq"])
	if err != nil || seq == 0 {
		return protocol.FieldError(protocol.BadField, "seq", "must be a whole number from 1 to 2^53")
	}
	read, err := a.engine.MarkRead(c.Request.Context(), who.OpenID, id, seq)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, readMark{ConversationID: id.String(), ReadSeq: read})
	return nil
}
