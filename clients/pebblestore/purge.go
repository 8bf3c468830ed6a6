package pebblestore

import (
	"slices"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// purge deletes record by record instead of by range: the steps are small, and a range's tombstone would slow every
// later page of the conversation.
func (w *writer) purge(op *ws.Purge) error {
	c, err := w.tables.conversations.get(w.db, op.Conversation)
	if err != nil {
		return err
	}
	if !c.exists {
		return refuse(protocol.NotFound, "there is no such conversation")
	}
	first := min(op.First, c.val.Last+1)
	if first <= c.val.First {
		return nil
	}
	if err := w.purgeReceipts(c.key, first); err != nil {
		return err
	}
	for seq := c.val.First; seq < first; seq++ {
		if err := w.batch.del(recordKey(w.batch.k(), c.key, seq)); err != nil {
			return err
		}
	}
	c.val.First = first
	w.tables.conversations.touch(c)
	w.appended = slices.DeleteFunc(w.appended, func(r *ws.Record) bool { return r.Conversation == c.key && r.Seq < first })
	return nil
}

// purgeReceipts removes the receipts that end below first, those of this batch too.
func (w *writer) purgeReceipts(id ws.ConversationID, first uint64) error {
	for _, r := range w.tables.cursors.dirty {
		if r.key.id == id {
			r.val.runs = slices.DeleteFunc(r.val.runs, func(run ws.Receipt) bool { return run.To < first })
		}
	}
	return eachReceiver(w.db, id, func(ref ws.DeviceRef) error {
		receipts, err := receiptsFrom(w.db, ref, id, 0, first-1)
		if err != nil {
			return err
		}
		for i := range receipts {
			if receipts[i].To >= first {
				continue
			}
			if err := w.batch.del(receiptKey(w.batch.k(), id, ref, receipts[i].From)); err != nil {
				return err
			}
		}
		return nil
	})
}
