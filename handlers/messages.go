package handlers

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// sendAnswer is the answer to POST /messages.
type sendAnswer struct {
	RequestID string       `json:"requestId"`
	Results   []sendResult `json:"results"`
}

// sendResult is what became of a message for one recipient; the last three are absent where it was refused.
type sendResult struct {
	To             string `json:"to"`
	Status         string `json:"status"` // accepted, duplicate, or an error code
	MessageID      string `json:"messageId,omitempty"`
	ConversationID string `json:"conversationId,omitempty"`
	Seq            uint64 `json:"seq,omitempty"`
}

// send serves POST /messages.
func (a *API) send(c *gin.Context, who caller) error {
	if who.isService() && !who.HasScope(scopeSend) {
		return protocol.NewError(protocol.Forbidden, "this service key has no scope for sending: send")
	}
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return err
	}
	draft, err := body.draft(c.GetHeader("Idempotency-Key"))
	if err != nil {
		return err
	}
	if err := who.sign(&draft); err != nil {
		return err
	}
	sent, err := a.engine.Send(c.Request.Context(), draft)
	if err != nil {
		return err
	}
	if len(sent.Results) == 1 && sent.Results[0].Err != nil {
		return sent.Results[0].Err
	}
	c.JSON(http.StatusOK, answerOf(sent))
	return nil
}

// sign makes a person the sender of what that person sends. A service key sends for whom it names.
func (w caller) sign(draft *ws.Draft) error {
	if w.isService() {
		return nil
	}
	if draft.From != "" && draft.From != w.OpenID {
		return protocol.FieldError(protocol.IdentityMismatch, "from", "a message is from whom the token belongs to")
	}
	draft.From, draft.FromName = w.OpenID, w.Name
	return nil
}

func answerOf(sent ws.SendResult) sendAnswer {
	answer := sendAnswer{RequestID: sent.RequestID, Results: make([]sendResult, len(sent.Results))}
	for i, r := range sent.Results {
		answer.Results[i] = sendResult{To: r.To, Status: statusOf(r)}
		if r.Err == nil {
			answer.Results[i].MessageID = r.MessageID.String()
			answer.Results[i].ConversationID = r.MessageID.Conversation.String()
			answer.Results[i].Seq = r.MessageID.Seq
		}
	}
	return answer
}

func statusOf(r ws.Result) string {
	switch {
	case r.Err != nil:
		return string(r.Err.Code)
	case r.Duplicate:
		return "duplicate"
	default:
		return "accepted"
	}
}

// messageLife is the answer to GET /messages/{id}.
type messageLife struct {
	MessageID      string           `json:"messageId"`
	ConversationID string           `json:"conversationId"`
	Seq            uint64           `json:"seq"`
	From           string           `json:"from"`
	AcceptedAt     time.Time        `json:"acceptedAt"`
	Node           string           `json:"node"`
	Trigger        protocol.Trigger `json:"trigger"` // the true one: 1 REST, 2 WebSocket
	State          string           `json:"state"`
	Recipients     []recipientLife  `json:"recipients"`
}

type recipientLife struct {
	OpenID  string       `json:"openid"`
	State   string       `json:"state"`
	Devices []deviceLife `json:"devices"`
}

type deviceLife struct {
	Device         string    `json:"device"`
	Node           string    `json:"node"`
	Pushes         uint32    `json:"pushes"`
	AcknowledgedAt time.Time `json:"acknowledgedAt"`
}

// life serves GET /messages/{id}.
func (a *API) life(c *gin.Context, who caller) error {
	id, err := messageID(c)
	if err != nil {
		return err
	}
	viewer, err := a.viewer(who)
	if err != nil {
		return err
	}
	life, err := a.engine.Message(c.Request.Context(), viewer, id)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, lifeOf(&life))
	return nil
}

func lifeOf(life *ws.MessageLife) messageLife {
	rec := &life.Record
	answer := messageLife{
		MessageID: rec.ID().String(), ConversationID: rec.Conversation.String(), Seq: rec.Seq, From: rec.Sender,
		AcceptedAt: moment(rec.CreatedAt), Node: rec.Node, Trigger: rec.Trigger, State: life.State,
		Recipients: make([]recipientLife, len(life.Recipients)),
	}
	for i, r := range life.Recipients {
		one := recipientLife{OpenID: r.OpenID, State: r.State, Devices: make([]deviceLife, len(r.Devices))}
		for j, d := range r.Devices {
			one.Devices[j] = deviceLife{Device: d.Device, Node: d.Node, Pushes: d.Pushes, AcknowledgedAt: moment(d.AcknowledgedAt)}
		}
		answer.Recipients[i] = one
	}
	return answer
}

// recalled is the answer to DELETE /messages/{id}.
type recalled struct {
	MessageID string `json:"messageId"`
	State     string `json:"state"`
}

// recall serves DELETE /messages/{id}. A repeat is answered like the first.
func (a *API) recall(c *gin.Context, who caller) error {
	id, err := messageID(c)
	if err != nil {
		return err
	}
	by, admin := who.OpenID, a.admin(who)
	if who.isService() {
		if !admin {
			return protocol.NewError(protocol.Forbidden, "this service key has no scope for recalling: admin")
		}
		by = "service:" + who.Service
	}
	if err := a.engine.Recall(c.Request.Context(), by, admin, id); err != nil {
		return err
	}
	c.JSON(http.StatusOK, recalled{MessageID: id.String(), State: "recalled"})
	return nil
}

// messageID reads the path's id.
func messageID(c *gin.Context) (ws.MessageID, error) {
	id, ok := protocol.ParseMessageID(c.Param("id"))
	if !ok {
		return id, protocol.FieldError(protocol.BadField, "messageId", "a messageId is 32 lower-case hex digits")
	}
	return id, nil
}

// moment is how REST tells the time: RFC 3339 in UTC.
func moment(at ws.Millis) time.Time { return time.UnixMilli(int64(at)).UTC() }
