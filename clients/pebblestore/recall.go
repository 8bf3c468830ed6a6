package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (w *writer) recall(op *ws.Recall) error {
	op.Duplicate, op.Members = false, nil
	r := &op.Record
	c, err := w.tables.conversations.get(w.db, r.Conversation)
	if err != nil {
		return err
	}
	if !c.exists || op.Seq < c.val.First || op.Seq > c.val.Last {
		return refuse(protocol.NotFound, "there is no such message")
	}
	message, ok, err := w.record(c.key, op.Seq)
	if err != nil {
		return err
	}
	if !ok || message.Kind != ws.KindMessage {
		return refuse(protocol.NotFound, "there is no such message")
	}
	if message.Sender != op.By && !op.Force {
		return refuse(protocol.Forbidden, "only its sender may recall a message")
	}
	if message.recall != 0 {
		return w.recalledBefore(op, c, message.recall)
	}
	if !op.Force && op.Window > 0 && int64(r.CreatedAt-message.CreatedAt) > op.Window {
		return refuse(protocol.Conflict, "the message is too old to be recalled")
	}
	r.Kind, r.Sender, r.Target, r.Body = ws.KindRecall, op.By, op.Seq, ""
	if err := w.appendRecord(c, r); err != nil {
		return err
	}
	message.Body, message.RecalledAt, message.recall = "", r.CreatedAt, r.Seq
	if err := w.putRecord(&message); err != nil {
		return err
	}
	op.Members, err = w.members(c)
	return err
}

func (w *writer) recalledBefore(op *ws.Recall, c *row[ws.ConversationID, conversation], seq uint64) error {
	first, ok, err := w.record(c.key, seq)
	if err != nil {
		return err
	}
	if !ok {
		return corrupt(kindRecord)
	}
	op.Duplicate, op.Record = true, first.Record
	op.Members, err = w.members(c)
	return err
}

// putRecord writes a record again, changed.
func (w *writer) putRecord(r *record) error {
	w.rewritten[r.ID()] = r
	return w.batch.set(recordKey(w.batch.k(), r.Conversation, r.Seq), encodeRecord(w.batch.v(), &r.Record, r.recall))
}
