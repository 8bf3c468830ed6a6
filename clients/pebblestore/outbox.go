package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// putEvents writes new events.
func (w *writer) putEvents(events []ws.Event) {
	for i := range events {
		e := &events[i]
		e.ID = w.number(&w.counters.event)
		if e.State == 0 {
			e.State = ws.EventPending
		}
		r := &row[uint64, event]{key: e.ID}
		w.tables.events.rows[e.ID] = r
		w.tables.events.put(r, event{Event: *e})
	}
}

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

func (w *writer) takeLease(op *ws.TakeLease) error {
	r, err := w.tables.leases.get(w.db, op.Name)
	if err != nil {
		return err
	}
	if r.exists && r.val.holder != op.Holder && op.Yields(r.val.until) {
		return refuse(protocol.Conflict, "somebody else holds the lease")
	}
	w.tables.leases.put(r, lease{op.Holder, op.Until})
	return nil
}
