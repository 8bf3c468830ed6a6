package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// The states of an outgoing event that can be listed.
var eventStates = map[string]ws.EventState{"pending": ws.EventPending, "dead": ws.EventDead}

// outgoing is an item of GET /outbox.
type outgoing struct {
	ID            string          `json:"id"`
	Topic         string          `json:"topic"`
	Key           string          `json:"key"`
	State         string          `json:"state"`
	Attempts      uint32          `json:"attempts"`
	NextAttemptAt *time.Time      `json:"nextAttemptAt,omitempty"`
	Event         json.RawMessage `json:"event"` // as it is published
}

// outbox serves GET /outbox: the outgoing events that wait or are dead, oldest first.
func (a *API) outbox(c *gin.Context, _ caller) error {
	name := c.DefaultQuery("state", "dead")
	state, known := eventStates[name]
	if !known {
		return protocol.FieldError(protocol.BadField, "state", "must be pending or dead")
	}
	pages := a.cursorsOf("outbox", name)
	after, err := pages.id(c)
	if err != nil {
		return err
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	found, next, err := a.engine.Outbox(c.Request.Context(), state, after, limit)
	if err != nil {
		return err
	}
	items := make([]outgoing, len(found))
	for i := range found {
		items[i] = outgoingOf(&found[i], name)
	}
	return page(c, items, pages.nextID(next))
}

func outgoingOf(e *ws.Event, state string) outgoing {
	item := outgoing{
		ID: strconv.FormatUint(e.ID, 10), Topic: e.Topic, Key: e.Key, State: state, Attempts: e.Attempts, Event: e.Payload,
	}
	if e.NextAttemptAt > 0 {
		at := moment(e.NextAttemptAt)
		item.NextAttemptAt = &at
	}
	return item
}

// replayed is the answer to POST /outbox/{id}/replay.
type replayed struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// replay serves POST /outbox/{id}/replay: a dead event is sent again.
func (a *API) replay(c *gin.Context, _ caller) error {
	id, err := eventID(c.Param("id"))
	if err != nil {
		return err
	}
	if err := a.engine.Replay(c.Request.Context(), id); err != nil {
		return err
	}
	c.JSON(http.StatusOK, replayed{ID: strconv.FormatUint(id, 10), State: "pending"})
	return nil
}

func eventID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, protocol.FieldError(protocol.BadField, "id", "must be the id of an outgoing event")
	}
	return id, nil
}
