package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"time"
)

// writer is a place to commit from. Its row in the database, written in each of its transactions, holds the number of the
// last batch that was committed from it.
type writer struct {
	id       [16]byte
	batch    int64
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
	if w == nil {
		w = &writer{}
		_, _ = rand.Read(w.id[:]) // never fails
	}
	if time.Since(w.enrolled) > writersUnused/2 {
		if err := s.enroll(ctx, w); err != nil {
			s.writers <- nil
			return nil, err
		}
	}
	return w, nil
}

// enroll makes a writer's row, and removes those that earlier stores left.
func (s *Store) enroll(ctx context.Context, w *writer) error {
	now := time.Now()
	err := s.within(ctx, func(tx *transaction) error {
		var row tuples
		row.add(w.id[:], w.batch, now.UnixMilli())
		if err := tx.put(writers, &row, change); err != nil {
			return err
		}
		return tx.exec(tx.dialect.bind("DELETE FROM yanlink_writers WHERE used_at < ?"), now.Add(-writersUnused).UnixMilli())
	})
	w.enrolled = now
	return err
}

// sign leaves the batch's number in the writer's row.
func (tx *transaction) sign(w *writer) error {
	return tx.exec(tx.dialect.bind("UPDATE yanlink_writers SET batch = ?, used_at = ? WHERE id = ?"), w.batch, time.Now().UnixMilli(), w.id[:])
}

// held finds out whether the writer's batch was committed although the answer was lost. A transaction that still runs has
// the row locked, and is waited for.
func (s *Store) held(ctx context.Context, w *writer) (held bool, err error) {
	err = s.within(ctx, func(tx *transaction) error {
		var keys tuples
		keys.add(w.id[:])
		held = false
		return tx.pick(writers, writers.key(1), &keys, true, func(rows *sql.Rows) error {
			var id []byte
			var batch, usedAt int64
			err := rows.Scan(&id, &batch, &usedAt)
			held = batch == w.batch
			return err
		})
	})
	return held, err
}
