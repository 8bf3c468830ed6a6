package handlers

import (
	"context"
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

// sendResult is what became of a message for one recipient. One that waits to be sent has a scheduledId, one that was sent
// the three before it, one that was refused none.
type sendResult struct {
	To             string `json:"to"`
	Status         string `json:"status"` // accepted, duplicate, scheduled, or an error code
	MessageID      string `json:"messageId,omitempty"`
	ConversationID string `json:"conversationId,omitempty"`
	Seq            uint64 `json:"seq,omitempty"`
	ScheduledID    string `json:"scheduledId,omitempty"`
}

// send serves POST /messages.
func (a *API) send(c *gin.Context, who caller) error {
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return err
	}
	answer, err := a.sendOne(c.Request.Context(), who, body, c.GetHeader("Idempotency-Key"))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// sendOne sends the message that a body holds. What its only recipient is refused with is its error.
func (a *API) sendOne(ctx context.Context, who caller, body fields, idempotencyKey string) (*sendAnswer, error) {
	draft, err := body.draft(idempotencyKey)
	if err != nil {
		return nil, err
	}
	if err := who.sign(&draft); err != nil {
		return nil, err
	}
	sent, err := a.sendDraft(ctx, draft)
	if err != nil {
		return nil, err
	}
	if len(sent.Results) == 1 && sent.Results[0].Err != nil {
		return nil, sent.Results[0].Err
	}
	answer := answerOf(sent)
	return &answer, nil
}

// sendDraft sends a draft that its caller may send.
func (a *API) sendDraft(ctx context.Context, draft ws.Draft) (ws.SendResult, error) {
	charge(ctx, len(draft.To))
	return a.engine.Send(ctx, draft)
}

// charge counts a call that does the work of so many for as many of its caller.
func charge(ctx context.Context, calls int) {
	if charge := ws.CallerFrom(ctx).Charge; charge != nil && calls > 1 {
		charge(calls - 1)
	}
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
		answer.Results[i] = resultOf(r)
	}
	return answer
}

func resultOf(r ws.Result) sendResult {
	switch {
	case r.Err != nil:
		return sendResult{To: r.To, Status: string(r.Err.Code)}
	case r.Scheduled != nil:
		return sendResult{To: r.To, Status: "scheduled", ScheduledID: r.Scheduled.String()}
	}
	result := sendResult{
		To: r.To, Status: "accepted",
		MessageID: r.MessageID.String(), ConversationID: r.MessageID.Conversation.String(), Seq: r.MessageID.Seq,
	}
	if r.Duplicate {
		result.Status = "duplicate"
	}
	return result
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
	ReadAt  *time.Time   `json:"readAt,omitempty"` // when the read mark that covers the message moved last
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
	life, err := a.engine.Message(c.Request.Context(), a.viewer(who), id)
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
		one := recipientLife{OpenID: r.OpenID, State: r.State, ReadAt: maybe(r.ReadAt), Devices: make([]deviceLife, len(r.Devices))}
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
	by := who.OpenID
	if who.isService() {
		by = "service:" + who.Service
	}
	if err := a.engine.Recall(c.Request.Context(), by, a.admin(who), id); err != nil {
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
