package pebblestore

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// writer turns ops into a batch. It belongs to one opening of the database and is used by one commit at a time.
//
// Each op is checked completely before it changes anything, so that a refused one leaves no trace in the batch or in
// the tables.
type writer struct {
	db        *pebble.DB
	batch     batch
	tables    *tables
	counters  counters
	counted   bool         // counters changed in this batch
	appended  []*ws.Record // by this batch, which the database does not show yet
	rewritten map[ws.MessageID]*record
}

func newWriter(db *pebble.DB, filter *dedupFilter) (*writer, error) {
	w := &writer{db: db, batch: batch{Batch: db.NewBatch()}, tables: newTables(filter), rewritten: map[ws.MessageID]*record{}}
	_, err := lookup(db, []byte{kindCounters}, func(value []byte) (err error) {
		w.counters, err = decodeCounters(value)
		return err
	})
	return w, err
}

// build puts what the ops do into the batch. An error means that the ledger could not be read: the caller discards.
func (w *writer) build(ops []ws.Op) error {
	for _, op := range ops {
		out := op.Result()
		out.Err = nil
		if err := w.apply(op); err != nil {
			var refused *protocol.Error
			if !errors.As(err, &refused) {
				return err
			}
			out.Err = refused
		}
	}
	for _, t := range w.tables.all {
		if err := t.flush(&w.batch); err != nil {
			return err
		}
	}
	if w.counted {
		if err := w.batch.set(append(w.batch.k(), kindCounters), encodeCounters(w.batch.v(), w.counters)); err != nil {
			return err
		}
	}
	return w.batch.seal()
}

func (w *writer) apply(op ws.Op) error {
	switch op := op.(type) {
	case *ws.Send:
		return w.send(op)
	case *ws.Ack:
		return w.ack(op)
	case *ws.OpenDevice:
		return w.openDevice(op)
	case *ws.DropDevice:
		return w.dropDevice(op)
	case *ws.SeenDevice:
		return w.seenDevice(op)
	case *ws.PutUser:
		return w.putUser(op)
	case *ws.BanUser:
		return w.banUser(op)
	case *ws.AcceptToken:
		return w.acceptToken(op)
	case *ws.RevokeTokens:
		return w.revokeTokens(op)
	case *ws.DropToken:
		return w.dropToken(op)
	case *ws.CreateGroup:
		return w.createGroup(op)
	case *ws.Change:
		return w.change(op)
	case *ws.Recall:
		return w.recall(op)
	case *ws.MarkRead:
		return w.markRead(op)
	case *ws.Schedule:
		return w.schedule(op)
	case *ws.FireScheduled:
		return w.fireScheduled(op)
	case *ws.CancelScheduled:
		return w.cancelScheduled(op)
	case *ws.AddEvents:
		w.putEvents(op.Events)
		return nil
	case *ws.PutEvent:
		return w.putEvent(op)
	case *ws.Purge:
		return w.purge(op)
	case *ws.TakeLease:
		return w.takeLease(op)
	}
	return fmt.Errorf("pebblestore: no such op: %T", op)
}

// settle is called when the batch is durable, with where to note the conversations it wrote to.
func (w *writer) settle(note func(ws.Head)) {
	for _, r := range w.tables.conversations.dirty {
		note(headOf(&r.val.Conversation))
	}
	for _, t := range w.tables.all {
		t.settle()
	}
	w.reset()
}

// rollback is called when the batch was never given to the database.
func (w *writer) rollback() error {
	for _, t := range w.tables.all {
		t.rollback()
	}
	w.reset()
	_, err := lookup(w.db, []byte{kindCounters}, func(value []byte) (err error) {
		w.counters, err = decodeCounters(value)
		return err
	})
	return err
}

func (w *writer) reset() {
	w.batch.Reset()
	clear(w.appended)
	clear(w.rewritten)
	w.appended, w.counted = w.appended[:0], false
}

func (w *writer) number(n *uint64) uint64 {
	*n++
	w.counted = true
	return *n - 1
}

// appendRecord gives the record the next seq of the conversation and writes it.
func (w *writer) appendRecord(c *row[ws.ConversationID, conversation], r *ws.Record) error {
	c.val.Last++
	c.val.UpdatedAt = r.CreatedAt
	w.tables.conversations.touch(c)
	r.Conversation, r.Seq = c.key, c.val.Last
	w.appended = append(w.appended, r)
	return w.batch.set(recordKey(w.batch.k(), r.Conversation, r.Seq), encodeRecord(w.batch.v(), r, 0))
}

// record returns a record as the batch has it.
func (w *writer) record(id ws.ConversationID, seq uint64) (record, bool, error) {
	if r, ok := w.rewritten[ws.MessageID{Conversation: id, Seq: seq}]; ok {
		return *r, true, nil
	}
	for _, r := range slices.Backward(w.appended) {
		if r.Conversation == id && r.Seq == seq {
			return record{Record: *r}, true, nil
		}
	}
	return loadRecord(w.db, id, seq)
}

func refuse(code protocol.Code, text string) error { return protocol.NewError(code, text) }
