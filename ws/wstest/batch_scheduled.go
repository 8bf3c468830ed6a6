package wstest

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (b *batch) schedule(op *ws.Schedule) error {
	op.Duplicate, op.Sent, op.Cancelled, op.Scheduled.ID = false, ws.MessageID{}, false, 0
	s := &op.Scheduled
	key, err := b.target(s.To, s.Group, s.Draft.Sender)
	if err != nil {
		return err
	}
	entry, err := b.repeat(key, &s.Draft, op.Hash)
	if err != nil {
		return err
	}
	if entry != nil {
		op.Duplicate = true
		op.Cancelled, s.ID = entry.cancelled, entry.scheduled
		if entry.seq != 0 {
			op.Sent = ws.MessageID{Conversation: b.byKey[key], Seq: entry.seq}
		}
		return nil
	}
	if err := b.mayWrite(key, &s.Draft, s.To, op.CreateUsers); err != nil {
		return err
	}
	b.know(s.Draft.Sender, op.SenderName, s.Draft.CreatedAt)
	if s.Group == 0 {
		b.know(s.To, "", s.Draft.CreatedAt)
	}
	b.lastScheduled++
	s.ID = b.lastScheduled
	row := &scheduled{Scheduled: *s}
	if s.Draft.MsgID != "" {
		row.dedup = &dedup{hash: op.Hash, scheduled: s.ID}
		b.dedup[dedupKey{key, s.Draft.Sender, s.Draft.MsgID}] = row.dedup
	}
	b.scheduled[s.ID] = row
	return nil
}

func (b *batch) fire(op *ws.FireScheduled) error {
	op.Sent = ws.Send{}
	row := b.scheduled[op.ID]
	if row == nil {
		return ws.ErrNotFound
	}
	op.Sent = ws.Send{To: row.To, Group: row.Group, Record: row.Draft, Events: op.Events}
	rec := &op.Sent.Record
	rec.CreatedAt, rec.Node = op.At, op.Node
	if row.TTL > 0 {
		rec.ExpireAt = op.At + ws.Millis(row.TTL)
	}
	key, err := b.target(row.To, row.Group, rec.Sender)
	if err == nil {
		err = b.mayWrite(key, rec, row.To, false)
	}
	if err != nil {
		b.unschedule(row)
		return err
	}
	delete(b.scheduled, row.ID)
	b.insert(key, &op.Sent)
	if row.dedup != nil {
		row.dedup.scheduled, row.dedup.seq = 0, rec.Seq
	}
	return nil
}

func (b *batch) cancel(op *ws.CancelScheduled) error {
	row := b.scheduled[op.ID]
	switch {
	case row == nil:
		return ws.ErrNotFound
	case op.By != "" && op.By != row.Draft.Sender:
		return refuse(protocol.Forbidden, "only the sender may cancel a message")
	}
	b.unschedule(row)
	return nil
}

// unschedule deletes a scheduled message and remembers that repeats of it are cancelled.
func (b *batch) unschedule(row *scheduled) {
	delete(b.scheduled, row.ID)
	if row.dedup != nil {
		row.dedup.scheduled, row.dedup.cancelled = 0, true
	}
}
