package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (w *writer) schedule(op *ws.Schedule) error {
	op.Duplicate, op.Sent, op.Cancelled = false, ws.MessageID{}, false
	s := &op.Scheduled
	to, err := w.route(s.Draft.Sender, s.To, s.Group, op.CreateUsers)
	if err != nil {
		return err
	}
	first, err := w.firstOf(to.conversation, s.Draft.Sender, s.Draft.MsgID, op.Hash)
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
	if _, err := w.pave(&to, op.SenderName, s.Draft.CreatedAt); err != nil {
		return err
	}
	s.ID = w.number(&w.counters.scheduled)
	r := &row[uint64, ws.Scheduled]{key: s.ID}
	w.tables.scheduled.rows[s.ID] = r
	stored := *s
	stored.Draft.Kind = ws.KindMessage
	w.tables.scheduled.put(r, stored)
	return w.putDedup(to.conversation.key, s.Draft.Sender, s.Draft.MsgID, dedup{state: dedupScheduled, n: s.ID, hash: op.Hash})
}

func (w *writer) fireScheduled(op *ws.FireScheduled) error {
	op.Sent = ws.Send{}
	r, err := w.scheduledRow(op.ID)
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
	to, err := w.route(draft.Sender, s.To, s.Group, false)
	if err != nil {
		return err
	}
	if to.refusal != nil {
		op.Sent.Err = to.refusal
		if err := w.unschedule(r); err != nil {
			return err
		}
		return to.refusal
	}
	first, err := w.scheduledDedup(to.conversation, s)
	if err != nil {
		return err
	}
	op.Sent.Hash = first.hash
	w.tables.scheduled.remove(r)
	return w.deliver(&op.Sent, to)
}

func (w *writer) scheduledRow(id uint64) (*row[uint64, ws.Scheduled], error) {
	r, err := w.tables.scheduled.get(w.db, id)
	if err == nil && !r.exists {
		return nil, refuse(protocol.NotFound, "there is no such scheduled message")
	}
	return r, err
}

// scheduledDedup returns the dedup key of a scheduled message; the zero one if it has no msgid.
func (w *writer) scheduledDedup(c *row[ws.ConversationID, conversation], s *ws.Scheduled) (dedup, error) {
	if c == nil || s.Draft.MsgID == "" {
		return dedup{}, nil
	}
	r, err := w.tables.dedups.get(w.db, dedupRef{c.key, s.Draft.Sender, s.Draft.MsgID})
	if err != nil {
		return dedup{}, err
	}
	return r.val, nil
}

// unschedule deletes a scheduled message and lets its dedup key say so.
func (w *writer) unschedule(r *row[uint64, ws.Scheduled]) error {
	s := &r.val
	id := s.Group
	if id == 0 {
		name, err := w.tables.names.get(w.db, directName(s.Draft.Sender, s.To))
		if err != nil {
			return err
		}
		id = name.val
	}
	w.tables.scheduled.remove(r)
	if s.Draft.MsgID == "" {
		return nil
	}
	d, err := w.tables.dedups.get(w.db, dedupRef{id, s.Draft.Sender, s.Draft.MsgID})
	if err != nil {
		return err
	}
	w.tables.dedups.put(d, dedup{state: dedupCancelled, n: s.ID, hash: d.val.hash})
	return nil
}

func (w *writer) cancelScheduled(op *ws.CancelScheduled) error {
	r, err := w.scheduledRow(op.ID)
	if err != nil {
		return err
	}
	if op.By != "" && op.By != r.val.Draft.Sender {
		return refuse(protocol.Forbidden, "only its sender may cancel a scheduled message")
	}
	return w.unschedule(r)
}
