package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// writer is a place to commit from. Its row in the database, written in each of its transactions, holds the number of the
// last batch that was committed from it, or a later one after which nothing that was tried before can hold.
type writer struct {
	id       [16]byte
	batch    int64     // the last one that was tried
	signed   int64     // the one in its row
	tenure   *tenure   // whose it is; nil: of a ledger that is shared
	enrolled time.Time // when its row was there for sure; zero: never
	lost     bool      // nobody knows whether its last batch holds; its row may still be written
}

// next returns the writer for the next commit; nil: one to be made.
func (w *writer) next() *writer {
	if w.lost {
		return nil
	}
	return w
}

// writersUnused is after how long the row of a writer is taken to be that of a store that is no more.
const writersUnused = 30 * 24 * time.Hour

// newWriters makes places for n commits at one time.
func newWriters(n int) chan *writer {
	free := make(chan *writer, n)
	for range n {
		free <- nil
	}
	return free
}

// takeWriter waits for a writer, whose row is there before the transaction that changes it. Nothing of a commit waits for a
// second connection while it has one, and there are fewer writers than connections, so that readers get theirs.
func (s *Store) takeWriter(ctx context.Context) (w *writer, err error) {
	select {
	case w = <-s.writers:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t, err := s.seat.tenure()
	if err != nil {
		s.writers <- w
		return nil, err
	}
	if w == nil || w.tenure != t {
		w = newWriter(t)
	}
	if time.Since(w.enrolled) > writersUnused/2 {
		if err := s.enroll(ctx, w); err != nil {
			s.writers <- nil
			return nil, err
		}
	}
	return w, nil
}

func newWriter(t *tenure) *writer {
	w := &writer{tenure: t}
	_, _ = rand.Read(w.id[:]) // never fails
	return w
}

// enroll makes a writer's row, and removes those that earlier stores left. They are looked for without a lock and removed by
// their keys: every row that is in use is locked by a batch under way, and whoever comes to write must not wait for those.
func (s *Store) enroll(ctx context.Context, w *writer) error {
	now := time.Now()
	err := s.within(ctx, func(tx *transaction) error {
		var left, row tuples
		if err := s.seat.admit(tx, w.tenure); err != nil {
			return err
		}
		if err := s.sameLedger(tx); err != nil {
			return err
		}
		if err := tx.query(func(rows scanner) error {
			var id []byte
			err := rows.Scan(&id)
			left.add(id)
			return err
		}, tx.dialect.bind("SELECT id FROM yanlink_writers WHERE used_at < ?"), now.Add(-writersUnused).UnixMilli()); err != nil {
			return err
		}
		row.add(w.id[:], w.batch, now.UnixMilli())
		if err := tx.put(writers, &row, change); err != nil {
			return err
		}
		return tx.remove(writers, writers.key(1), &left)
	})
	w.enrolled, w.signed = now, w.batch
	return err
}

// errOtherLedger says that the ledger is another one now than when the store was opened.
var errOtherLedger = errors.New("the ledger has begun a new epoch, or was imported, since this node was started; restart it")

// sameLedger fails in a ledger that was restored or filled while the node was frozen or cut off, so that nobody writes there with the
// memory of another one.
func (s *Store) sameLedger(tx *transaction) error {
	var info ws.LedgerInfo
	var secret ws.Secret
	err := tx.query(func(rows scanner) error {
		return rows.Scan(number(&info.Format), number(&info.Epoch), hashTo{secret[:]})
	}, "SELECT format, epoch, secret FROM yanlink_ledger")
	// A newer format alone is a newer node's, beside which this one goes on.
	if err == nil && (info.Format == importing || info.Epoch != s.info.Epoch || secret != s.secret) {
		err = errOtherLedger
	}
	return err
}

// errNoWriter says that the row of a writer is gone.
var errNoWriter = errors.New("the row of the writer was removed, as if its node were no more")

// gone notes that the writer's row is.
func (w *writer) gone() error {
	w.lost = true
	return errNoWriter
}

// from runs fn, which reads something first, in a transaction beside the batches of a writer, whose row it locks as they do. Nothing of
// it holds, and it fails with errNoWriter, if the row is gone.
func (s *Store) from(ctx context.Context, w *writer, fn func(tx *transaction) error) error {
	return s.within(ctx, func(tx *transaction) error {
		var keys tuples
		keys.add(w.id[:])
		there, asked := false, false
		if err := tx.seek(writers, writers.key(1), &keys, true, func(scanner) error {
			there = true
			return nil
		}); err != nil {
			return err
		}
		tx.answered(func() { asked = true })
		err := fn(tx)
		if asked && !there {
			return w.gone() // whatever came of it
		}
		return err
	})
}

// lockWriter locks the writer's row, as the first thing of a batch: whoever removes it waits until the batch has ended.
func (l *loader) lockWriter(w *writer) error {
	var keys tuples
	keys.add(w.id[:])
	return l.seek(writers, writers.key(1), &keys, true, func(scanner) error {
		l.enrolled = true
		return nil
	})
}

// haveWriter fails with errNoWriter if there was nothing to lock.
func (l *loader) haveWriter(w *writer) error {
	if !l.enrolled {
		return w.gone()
	}
	return nil
}

// signing leaves the batch's number in the writer's row.
const signing = "UPDATE yanlink_writers SET batch = ?, used_at = ? WHERE id = ?"

// signature are the arguments of signing.
func (w *writer) signature() []any { return []any{w.batch, time.Now().UnixMilli(), w.id[:]} }

// sign is the last thing of a batch.
func (tx *transaction) sign(w *writer) error {
	return tx.exec(tx.dialect.bind(signing), w.signature()...)
}

// errUnsettled says that nobody can know any more what became of a commit.
var errUnsettled = errors.New("the row that would say what became of a commit was removed")

// held finds out whether the writer's batch was committed although the answer was lost. A transaction that still runs has the row
// locked, and is waited for; one that is still on its way, as a whole, finds the row changed, and fails.
func (s *Store) held(ctx context.Context, w *writer) (held bool, err error) {
	next := w.batch + 1
	err = s.within(ctx, func(tx *transaction) error {
		var keys tuples
		keys.add(w.id[:])
		there := false
		if err := tx.pick(writers, writers.key(1), &keys, true, func(rows scanner) error {
			var id []byte
			var batch, usedAt int64
			err := rows.Scan(&id, &batch, &usedAt)
			there, held = true, batch == w.batch
			return err
		}); err != nil || held {
			return err
		}
		if !there {
			return errUnsettled
		}
		return tx.exec(tx.dialect.bind("UPDATE yanlink_writers SET batch = ? WHERE id = ?"), next, w.id[:])
	})
	if err == nil && !held {
		w.batch, w.signed = next, next
	}
	return held, err
}
