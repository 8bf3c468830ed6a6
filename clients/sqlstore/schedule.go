package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (v *view) schedule(op *ws.Schedule) error {
	op.Duplicate, op.Sent, op.Cancelled = false, ws.MessageID{}, false
	s := &op.Scheduled
	to := v.route(s.Draft.Sender, s.To, s.Group, op.CreateUsers)
	first, err := v.firstOf(to.conversation, s.Draft.Sender, s.Draft.MsgID, op.Hash)
	if err != nil {
		return err
	}
	switch first.state {
	case dedupSent:
		op.Duplicate, op.Sent = true, ws.MessageID{Conversation: to.conversation.key, Seq: first.n}
		return nil
	case dedupScheduled:
		op.Duplicate, s.ID = true, first.n
		return nil
	case dedupCancelled:
		op.Duplicate, op.Cancelled = true, true
		return nil
	}
	if to.refusal != nil {
		return to.refusal
	}
	if _, err := v.pave(&to, op.SenderName, s.Draft.CreatedAt); err != nil {
		return err
	}
	s.ID, v.numbers = v.numbers[0], v.numbers[1:]
	stored := *s
	stored.Draft.Kind = ws.KindMessage
	r := &row[uint64, ws.Scheduled]{key: s.ID}
	v.scheduled.rows[s.ID] = r
	v.scheduled.put(r, stored)
	v.putDedup(to.conversation.key, s.Draft.Sender, s.Draft.MsgID, dedup{state: dedupScheduled, n: s.ID, hash: op.Hash})
	return nil
}

func (v *view) fireScheduled(op *ws.FireScheduled) error {
	op.Sent = ws.Send{}
	r, err := v.scheduledRow(op.ID)
	if err != nil {
		return err
	}
	s := &r.val
	op.Sent = ws.Send{To: s.To, Group: s.Group, Record: s.Draft, Events: op.Events}
	draft := &op.Sent.Record
	draft.Kind, draft.CreatedAt, draft.Node = ws.KindMessage, op.At, op.Node
	if s.TTL > 0 {
		draft.ExpireAt = op.At + ws.Millis(s.TTL)
	}
	to := v.route(draft.Sender, s.To, s.Group, false)
	if to.refusal != nil {
		op.Sent.Err = to.refusal
		if err := v.unschedule(r); err != nil {
			return err
		}
		return to.refusal
	}
	if to.conversation != nil && draft.MsgID != "" {
		op.Sent.Hash = v.dedups.get(dedupRef{to.conversation.key, draft.Sender, draft.MsgID}).val.hash
	}
	v.scheduled.remove(r)
	return v.deliver(&op.Sent, &to)
}

func (v *view) scheduledRow(id uint64) (*row[uint64, ws.Scheduled], error) {
	r := v.scheduled.get(id)
	if !r.exists {
		return nil, refuse(protocol.NotFound, "there is no such scheduled message")
	}
	return r, nil
}

// unschedule deletes a scheduled message and lets its dedup key say so.
func (v *view) unschedule(r *row[uint64, ws.Scheduled]) error {
	s := &r.val
	id := s.Group
	if id == 0 {
		name := directName(s.Draft.Sender, s.To)
		if id = v.plan.names[name]; id == 0 {
			v.plan.names[name] = 0
			return v.lack()
		}
	}
	v.conversation(id) // which guards its scheduled messages
	v.scheduled.remove(r)
	if s.Draft.MsgID != "" {
		d := v.dedups.get(dedupRef{id, s.Draft.Sender, s.Draft.MsgID})
		v.dedups.put(d, dedup{state: dedupCancelled, n: s.ID, hash: d.val.hash})
	}
	return nil
}

func (v *view) cancelScheduled(op *ws.CancelScheduled) error {
	r, err := v.scheduledRow(op.ID)
	if err != nil {
		return err
	}
	if op.By != "" && op.By != r.val.Draft.Sender {
		return refuse(protocol.Forbidden, "only its sender may cancel a scheduled message")
	}
	return v.unschedule(r)
}
