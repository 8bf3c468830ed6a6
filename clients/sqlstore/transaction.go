package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// transaction is one transaction with the statements of many rows that a batch is made of.
type transaction struct {
	session
	ctx     context.Context
	dialect dialect
	queued  queued
	asked   questions
}

// queued are statements whose answers nobody waits for, where the connection takes many in one text: over a slow network a
// commit takes as long as its trips.
type queued struct {
	texts []string
	args  []any
	bytes int
}

func (q *queued) add(query string, args []any) {
	q.texts = append(q.texts, query)
	q.args = append(q.args, args...)
	q.bytes += sizeOfAll(query, args)
}

func (q *queued) text() string { return strings.Join(q.texts, "; ") }

// takeQueued returns what is queued, which whoever takes it runs.
func (tx *transaction) takeQueued() queued {
	q := tx.queued
	tx.queued = queued{}
	return q
}

func sizeOfAll(query string, args []any) int {
	size := len(query)
	for _, v := range args {
		size += sizeOf(v)
	}
	return size
}

// begin starts a transaction at READ COMMITTED: each statement sees what was committed before it began, so that what is
// read after a lock was waited for is what the lock's last holder left.
func (s *Store) begin(ctx context.Context) (*transaction, error) {
	tx := &transaction{ctx: ctx, dialect: s.dialect}
	var err error
	if s.dialect.joins() {
		tx.queued.add(sayBegin, nil)
		tx.session, err = speak(ctx, s.db)
	} else {
		tx.session, err = s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	}
	return tx, err
}

// pick calls visit for each row whose columns by equal one of keys, and locks them in their order if asked for.
func (tx *transaction) pick(r *relation, by []column, keys *tuples, lock bool, visit func(rows *sql.Rows) error) error {
	return keys.chunks(func(part tuples) error {
		query, args := tx.dialect.pick(r, by, part, lock)
		return tx.query(visit, query, args...)
	})
}

// query calls visit for each row of a query whose placeholders are the server's.
func (tx *transaction) query(visit func(rows *sql.Rows) error, query string, args ...any) error {
	before := tx.takeQueued()
	before.add(query, args)
	rows, err := tx.QueryContext(tx.ctx, before.text(), before.args...)
	return each(rows, err, visit) // what was queued answers with no rows, and is passed over
}

// put inserts rows.
func (tx *transaction) put(r *relation, rows *tuples, known onKnown) error {
	return rows.chunks(func(part tuples) error {
		query, args := tx.dialect.put(r, part, known)
		return tx.exec(query, args...)
	})
}

// remove deletes the rows whose columns by equal one of keys.
func (tx *transaction) remove(r *relation, by []column, keys *tuples) error {
	return keys.chunks(func(part tuples) error {
		query, args := tx.dialect.remove(r, by, part)
		return tx.exec(query, args...)
	})
}

// exec runs a statement, at the latest with the next query or flush.
func (tx *transaction) exec(query string, args ...any) error {
	if !tx.dialect.joins() {
		_, err := tx.ExecContext(tx.ctx, query, args...)
		return err
	}
	if tx.queued.bytes+sizeOfAll(query, args) > chunkBytes {
		if err := tx.flush(tx.ctx); err != nil {
			return err
		}
	}
	tx.queued.add(query, args)
	return nil
}

// last runs what is queued and then a statement, and returns how many rows that one changed.
func (tx *transaction) last(query string, args ...any) (changed int64, err error) {
	q := tx.takeQueued()
	q.add(query, args)
	result, err := tx.ExecContext(tx.ctx, q.text(), q.args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected() // of several, those of the last
}

// flush runs what is queued.
func (tx *transaction) flush(ctx context.Context) error {
	q := tx.takeQueued()
	if len(q.texts) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, q.text(), q.args...)
	return err
}

// Commit runs what is queued and commits, even if the context of the transaction has ended.
func (tx *transaction) Commit() error {
	if tx.dialect.joins() {
		tx.queued.add(sayCommit, nil)
	}
	if err := tx.flush(context.WithoutCancel(tx.ctx)); err != nil {
		_ = tx.Rollback() // the first error counts
		return err
	}
	return tx.session.Commit()
}

// each calls visit for each row of a query's answer.
func each(rows *sql.Rows, err error, visit func(rows *sql.Rows) error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := visit(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}
