package pebblestore

import (
	"errors"
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
	if err := w.purgeRecords(c.key, c.val.First, first); err != nil {
		return err
	}
	c.val.First = first
	w.tables.conversations.touch(c)
	return nil
}

// purgeRecords removes the records from one position up to another, those of this batch too. It goes by what is there: a new
// epoch may have passed over more positions than can be counted through.
func (w *writer) purgeRecords(id ws.ConversationID, from, end uint64) error {
	var seqs []uint64
	w.appended = slices.DeleteFunc(w.appended, func(r *ws.Record) bool {
		purged := r.Conversation == id && r.Seq < end
		if purged {
			seqs = append(seqs, r.Seq)
		}
		return purged
	})
	prefix := recordKey(nil, id, 0)[:9]
	err := scanFrom(w.db, prefix, recordKey(nil, id, from), func(rest, _ []byte) (bool, error) {
		d := decoder{rest: rest}
		seq := d.fixed()
		if d.bad {
			return false, corrupt(kindRecord)
		}
		if seq < end {
			seqs = append(seqs, seq)
		}
		return seq < end, nil
	})
	for _, seq := range seqs {
		err = errors.Join(err, w.batch.del(recordKey(w.batch.k(), id, seq)))
	}
	return err
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
