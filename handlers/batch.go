package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxBatch bounds the messages of one call.
const maxBatch = 100

// batchAnswer is the answer to POST /messages/batch: one item for each message, in order.
type batchAnswer struct {
	Items []batchItem `json:"items"`
}

// batchItem is what POST /messages would have answered.
type batchItem struct {
	Status int `json:"status"` // of HTTP
	*sendAnswer
	*protocol.ErrorBody
}

// sendBatch serves POST /messages/batch. The messages are sent one after the other, so that those for one recipient keep
// their order; one that is refused does not hold up the rest.
func (a *API) sendBatch(c *gin.Context, who caller) error {
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return err
	}
	if err := noKeyForSeveral(c, "msgid"); err != nil {
		return err
	}
	messages, err := body.messages()
	if err != nil {
		return err
	}
	charge(c.Request.Context(), len(messages))
	requestID := ws.CallerFrom(c.Request.Context()).RequestID
	answer := batchAnswer{Items: make([]batchItem, len(messages))}
	for i, message := range messages {
		sent, err := a.sendPart(c, who, message)
		answer.Items[i] = itemOf(requestID, sent, err)
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// noKeyForSeveral refuses an Idempotency-Key, in the place of which stands field in each of several messages.
func noKeyForSeveral(c *gin.Context, field string) error {
	if c.GetHeader("Idempotency-Key") == "" {
		return nil
	}
	return protocol.FieldError(protocol.BadField, field, "one Idempotency-Key cannot name several messages: give each its "+field)
}

func (a *API) sendPart(c *gin.Context, who caller, message json.RawMessage) (*sendAnswer, error) {
	body, coded := protocol.BodyFields(message)
	if coded != nil {
		return nil, coded
	}
	return a.sendOne(c.Request.Context(), who, body, "")
}

func itemOf(requestID string, sent *sendAnswer, err error) batchItem {
	if err == nil {
		return batchItem{Status: http.StatusOK, sendAnswer: sent}
	}
	status, body := protocol.NewErrorBody(err, requestID)
	return batchItem{Status: status, ErrorBody: &body}
}

// messages returns the field of that name, an array of 1 to maxBatch messages.
func (f fields) messages() (list []json.RawMessage, err error) {
	switch {
	case !f.given("messages"):
		return nil, protocol.FieldError(protocol.MissingField, "messages", "missing: an array of messages")
	case json.Unmarshal([]byte(f["messages"]), &list) != nil || len(list) == 0 || len(list) > maxBatch:
		return nil, protocol.FieldError(protocol.BadField, "messages", "must be an array of 1 to "+strconv.Itoa(maxBatch)+" messages")
	}
	return list, nil
}
