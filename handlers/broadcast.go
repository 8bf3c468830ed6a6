package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// broadcasted is the answer to POST /broadcast: of users, how many accepted it, had it, and were refused. The three ids are
// those of the one message to everybody; those who are online get one each.
type broadcasted struct {
	RequestID      string `json:"requestId"`
	Users          int    `json:"users"`
	Accepted       int    `json:"accepted"`
	Duplicates     int    `json:"duplicates"`
	Refused        int    `json:"refused"`
	MessageID      string `json:"messageId,omitempty"`
	ConversationID string `json:"conversationId,omitempty"`
	Seq            uint64 `json:"seq,omitempty"`
}

// broadcast serves POST /broadcast.
func (a *API) broadcast(c *gin.Context, who caller) error {
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return err
	}
	for _, name := range []string{"to", "groupId"} {
		if body.given(name) {
			return protocol.FieldError(protocol.BadField, name, "a broadcast goes to everybody: it names no recipients")
		}
	}
	onlineOnly, err := body.flag("onlineOnly")
	if err != nil {
		return err
	}
	draft, err := body.content(c.GetHeader("Idempotency-Key"))
	if err != nil {
		return err
	}
	// The scope admin alone lets a key speak for the application, not for anybody else.
	if who.isService() && !who.HasScope(scopeSend) && draft.From != "" {
		return protocol.FieldError(protocol.Forbidden, "from", "this service key has no scope to send as somebody: leave from out")
	}
	if err := who.sign(&draft); err != nil {
		return err
	}
	send := a.engine.Broadcast
	if onlineOnly {
		send = a.engine.BroadcastOnline
	}
	sent, err := send(c.Request.Context(), draft)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, broadcastedOf(sent))
	return nil
}

func broadcastedOf(sent ws.BroadcastResult) broadcasted {
	answer := broadcasted{
		RequestID: sent.RequestID, Users: sent.Users, Accepted: sent.Accepted, Duplicates: sent.Duplicates, Refused: sent.Refused,
	}
	if !sent.MessageID.IsZero() {
		answer.MessageID, answer.ConversationID, answer.Seq = sent.MessageID.String(), sent.MessageID.Conversation.String(), sent.MessageID.Seq
	}
	return answer
}
