package pebblestore

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (w *writer) ack(op *ws.Ack) error {
	ref := ws.DeviceRef{User: op.User, Device: op.Device}
	device, err := w.tables.devices.get(w.db, ref)
	if err != nil {
		return err
	}
	stays, err := w.tables.stays.get(w.db, stayRef{op.Conversation, op.User})
	if err != nil {
		return err
	}
	if !device.exists || !stays.exists {
		return refuse(protocol.NotFound, "the device or its user's stay is not in the ledger")
	}
	c, err := w.tables.conversations.get(w.db, op.Conversation)
	if err != nil {
		return err
	}
	if op.To > c.val.Last || op.Cursor > c.val.Last || op.From > op.To && op.From != 0 {
		return refuse(protocol.BadField, "the position lies past the end of the conversation")
	}
	r, err := w.cursor(ref, op.Conversation, stays.val)
	if err != nil {
		return err
	}
	if op.From > 0 {
		if err := w.addReceipt(r, op); err != nil {
			return err
		}
	}
	w.raise(r, op.Cursor, op.Due)
	w.putEvents(op.Events)
	return nil
}

// cursor returns the device's cursor; one that is not there stands just before the user's first stay.
func (w *writer) cursor(ref ws.DeviceRef, id ws.ConversationID, stays []ws.Stay) (*row[cursorRef, cursor], error) {
	r, err := w.tables.cursors.get(w.db, cursorRef{ref, id})
	if err == nil && !r.exists {
		r.val.Cursor = ws.Cursor{Conversation: id, Seq: startOf(stays)}
	}
	return r, err
}

// raise moves a cursor up, never down.
func (w *writer) raise(r *row[cursorRef, cursor], seq, due uint64) {
	c := &r.val
	seq = max(seq, c.Seq)
	due = min(max(due, c.Due), seq)
	if seq == c.Seq && due == c.Due {
		return
	}
	c.Seq, c.Due, c.changed, r.exists = seq, due, true, true
	w.tables.cursors.touch(r)
}

// addReceipt adds the parts of the run that no receipt covers yet: a seq keeps the first time it was acknowledged.
func (w *writer) addReceipt(r *row[cursorRef, cursor], op *ws.Ack) error {
	c := &r.val
	if !c.knowsCovered {
		last, err := lastReceipt(w.db, r.key)
		if err != nil {
			return err
		}
		c.covered, c.knowsCovered = last, true
	}
	run := ws.Receipt{From: op.From, To: op.To, Attempts: op.Attempts, Node: op.Node, At: op.At}
	if op.From > c.covered && len(c.runs) == 0 {
		w.putRuns(r, run)
		return nil
	}
	runs, err := w.uncovered(r.key, run, c.covered)
	if err != nil {
		return err
	}
	for _, known := range c.runs {
		runs = ws.SubtractSeqs(runs, known.From, known.To)
	}
	if len(runs) > 0 {
		w.putRuns(r, runs...)
	}
	return nil
}

// putRuns adds receipts to what is written beside the cursor.
func (w *writer) putRuns(r *row[cursorRef, cursor], runs ...ws.Receipt) {
	c := &r.val
	for _, run := range runs {
		c.runs = ws.MergeReceipt(c.runs, run)
	}
	if !r.exists {
		r.exists, c.changed = true, true
	}
	w.tables.cursors.touch(r)
}

// lastReceipt returns the highest seq that a stored receipt of the device covers in the conversation; 0 if none.
func lastReceipt(db pebble.Reader, ref cursorRef) (last uint64, err error) {
	prefix := receiptsPrefix(nil, ref.id, ref.DeviceRef)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		r, err := receiptAt(it, ref.id, ref.DeviceRef, len(prefix))
		if err != nil {
			_ = it.Close()
			return 0, err
		}
		last = r.To
	}
	return last, it.Close()
}

// receiptAt decodes the receipt an iterator stands on; its key's prefix has the given length.
func receiptAt(it *pebble.Iterator, id ws.ConversationID, ref ws.DeviceRef, prefix int) (ws.Receipt, error) {
	value, err := it.ValueAndErr()
	if err != nil {
		return ws.Receipt{}, err
	}
	d := decoder{rest: it.Key()[prefix:]}
	from := d.fixed()
	if err := d.done(kindReceipt); err != nil {
		return ws.Receipt{}, err
	}
	return decodeReceipt(id, ref, from, value)
}

// uncovered returns the parts of run that no stored receipt covers; covered is the highest seq that any does.
func (w *writer) uncovered(ref cursorRef, run ws.Receipt, covered uint64) ([]ws.Receipt, error) {
	runs := []ws.Receipt{run}
	if run.From > covered {
		return runs, nil
	}
	stored, err := receiptsFrom(w.db, ref.DeviceRef, ref.id, run.From, run.To)
	for _, known := range stored {
		runs = ws.SubtractSeqs(runs, known.From, known.To)
	}
	return runs, err
}
