package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// putEvents notes new events, which the database numbers.
func (v *view) putEvents(events []ws.Event) {
	for i := range events {
		if events[i].State == 0 {
			events[i].State = ws.EventPending
		}
	}
	v.fresh = append(v.fresh, events...)
}

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

func (v *view) takeLease(op *ws.TakeLease) error {
	r := v.leases.get(op.Name)
	if r.exists && r.val.holder != op.Holder && op.Yields(r.val.until) {
		return refuse(protocol.Conflict, "somebody else holds the lease")
	}
	v.leases.put(r, lease{op.Holder, op.Until})
	return nil
}
