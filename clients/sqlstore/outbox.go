package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (v *view) putEvent(op *ws.PutEvent) error {
	r := v.events.get(op.ID)
	if !r.exists {
		return refuse(protocol.NotFound, "there is no such event")
	}
	switch op.State {
	case ws.EventDone:
		v.events.remove(r)
	case ws.EventPending, ws.EventDead:
		r.val.State, r.val.Attempts, r.val.NextAttemptAt = op.State, op.Attempts, op.NextAttemptAt
		v.events.touch(r)
	default:
		return refuse(protocol.BadField, "an event has no such state")
	}
	return nil
}
