package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (w *writer) putEvent(op *ws.PutEvent) error {
	r, err := w.tables.events.get(w.db, op.ID)
	if err != nil {
		return err
	}
	if !r.exists {
		return refuse(protocol.NotFound, "there is no such event")
	}
	switch op.State {
	case ws.EventDone:
		w.tables.events.remove(r)
	case ws.EventPending, ws.EventDead:
		r.val.State, r.val.Attempts, r.val.NextAttemptAt = op.State, op.Attempts, op.NextAttemptAt
		w.tables.events.touch(r)
	default:
		return refuse(protocol.BadField, "an event has no such state")
	}
	return nil
}
