package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// pushPath is where the push calls stand that programs of the original make.
const pushPath = "/rocketmq/mqmessage/message"

// statusUnknownUsers is the statusCode of a message that some recipients did not get because nobody knows them.
const statusUnknownUsers = -501

// pushAnswer is the answer to a push call. StatusCode is 200, statusUnknownUsers, or the status of what went wrong; Content
// is what POST /messages or POST /broadcast answers, or the unknown users.
type pushAnswer struct {
	Success    bool   `json:"success"`
	StatusCode int    `json:"statusCode"`
	Content    any    `json:"content"`
	Msg        string `json:"msg"`

	cause *protocol.Error // what went wrong, for the headers and for whoever logs and counts; nil where nothing did
}

// answerPush writes the answer to a push call.
func answerPush(c *gin.Context, answer pushAnswer) error {
	status := answer.StatusCode
	if status == statusUnknownUsers {
		status = http.StatusOK // it was done as far as it can be; callers look at statusCode
	}
	if answer.cause != nil {
		_ = c.Error(answer.cause)
		answer.cause.SetHeaders(c.Writer.Header())
	}
	c.JSON(status, answer)
	return nil
}

// push serves POST …/message/send.
func (a *API) push(c *gin.Context, who caller) error {
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return answerPush(c, refusedPush(err))
	}
	return answerPush(c, a.pushOne(c.Request.Context(), who, body, c.GetHeader("Idempotency-Key")))
}

// pushList serves POST …/message/sendList: an array of what push takes. Its content is the answer to each.
func (a *API) pushList(c *gin.Context, who caller) error {
	list, err := a.pushRequests(c)
	if err != nil {
		return answerPush(c, refusedPush(err))
	}
	return answerPush(c, a.pushAll(c.Request.Context(), who, list))
}

func (a *API) pushRequests(c *gin.Context) ([]json.RawMessage, error) {
	if err := noKeyForSeveral(c, "uniqueMsgid"); err != nil {
		return nil, err
	}
	text, err := textOf(c, a.opt.BodyBytes)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil || len(list) == 0 || len(list) > maxBatch {
		return nil, protocol.NewError(protocol.BadJSON, "the body must be an array of 1 to "+strconv.Itoa(maxBatch)+" messages")
	}
	return list, nil
}

// pushAll sends messages one after the other; the first that fails says how the whole ended.
func (a *API) pushAll(ctx context.Context, who caller, list []json.RawMessage) pushAnswer {
	charge(ctx, len(list))
	answers := make([]pushAnswer, len(list))
	whole := pushAnswer{Success: true, StatusCode: http.StatusOK, Content: answers, Msg: "success"}
	for i, text := range list {
		if body, err := protocol.BodyFields(text); err != nil {
			answers[i] = refusedPush(err)
		} else {
			answers[i] = a.pushOne(ctx, who, body, "")
		}
		if whole.Success && !answers[i].Success {
			whole.Success, whole.StatusCode, whole.Msg, whole.cause = false, answers[i].StatusCode, answers[i].Msg, answers[i].cause
		}
	}
	return whole
}

// pushOne sends one message, to its recipients or to everybody.
func (a *API) pushOne(ctx context.Context, who caller, body fields, idempotencyKey string) pushAnswer {
	draft, toAll, err := body.pushed(idempotencyKey)
	if err == nil {
		err = who.sign(&draft)
	}
	switch {
	case err != nil:
		return refusedPush(err)
	case toAll && !who.isService():
		return refusedPush(protocol.FieldError(protocol.Forbidden, "sendToAll", "a message to all needs a service key"))
	case toAll:
		sent, err := a.engine.Broadcast(ctx, draft)
		if err != nil {
			return refusedPush(err)
		}
		return pushAnswer{Success: true, StatusCode: http.StatusOK, Content: broadcastedOf(sent), Msg: "success"}
	}
	sent, err := a.sendDraft(ctx, draft)
	if err != nil {
		return refusedPush(err)
	}
	return pushedTo(sent)
}

// pushedTo answers what became of a message for its recipients. Whoever is known has got it, also beside others who are not.
func pushedTo(sent ws.SendResult) pushAnswer {
	var unknown []string
	var failed *protocol.Error
	for i := range sent.Results {
		switch r := &sent.Results[i]; {
		case r.Err == nil:
		case r.Err.Code == protocol.UnknownUser:
			unknown = append(unknown, r.To)
		case failed == nil:
			failed = r.Err
		}
	}
	switch {
	case failed != nil:
		answer := refusedPush(failed)
		answer.Content = answerOf(sent)
		return answer
	case unknown != nil:
		return pushAnswer{StatusCode: statusUnknownUsers, Content: unknown, Msg: "nobody knows these users"}
	}
	return pushAnswer{Success: true, StatusCode: http.StatusOK, Content: answerOf(sent), Msg: "success"}
}

func refusedPush(err error) pushAnswer {
	coded := protocol.AsError(err)
	msg := coded.Message
	if coded.Field != "" {
		msg = coded.Field + ": " + msg
	}
	return pushAnswer{StatusCode: coded.Code.Status(), Msg: msg, cause: coded}
}

// pushed makes the draft of a SendRequest: to, msg, uniqueMsgid, from, delay in seconds, sendToAll. A msg that is no string
// is sent as the JSON it is.
func (f fields) pushed(idempotencyKey string) (d ws.Draft, toAll bool, err error) {
	if !f.given("msg") {
		return d, false, protocol.FieldError(protocol.MissingField, "msg", "missing")
	}
	if json.Unmarshal([]byte(f["msg"]), &d.Body) != nil {
		d.Body = f["msg"]
	}
	if toAll, err = f.flag("sendToAll"); err != nil {
		return d, toAll, err
	}
	if !toAll {
		if d.To, err = f.recipients(); err != nil {
			return d, toAll, err
		}
	}
	if d.Delay, err = f.seconds("delay"); err != nil {
		return d, toAll, err
	}
	if d.MsgID, err = f.msgID("uniqueMsgid", idempotencyKey); err != nil {
		return d, toAll, err
	}
	d.From, err = f.text("from")
	return d, toAll, err
}
