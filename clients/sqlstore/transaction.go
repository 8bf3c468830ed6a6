package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// transaction is one transaction with the statements of many rows that a batch is made of. They wait for each other, so that
// they go in few trips: over a slow network a commit takes as long as these.
type transaction struct {
	session
	ctx     context.Context
	dialect dialect
	queued  []statement
	limit   time.Duration // of one trip
	failed  error         // the first one: nothing counts after it, whatever the server makes of the rest
	bytes   int           // in queued
	then    []func()      // to be called once they are here
}

// begin starts a transaction at READ COMMITTED: each statement sees what was committed before it began, so that what is
// read after a lock was waited for is what the lock's last holder left.
func (s *Store) begin(ctx context.Context) (*transaction, error) {
	tx := &transaction{ctx: ctx, dialect: s.dialect, limit: s.opt.StatementTimeout + time.Second}
	var err error
	if speaker := s.dialect.speaker(); speaker != nil {
		tx.session, err = speak(ctx, s.db, speaker)
		tx.queued = append(tx.queued, statement{query: s.dialect.begin()})
		return tx, err
	}
	begun, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	tx.session = stepwise{begun}
	return tx, err
}

// ask calls visit for each row of a query's answer, at the latest when answer is called.
func (tx *transaction) ask(visit func(row scanner) error, query string, args ...any) error {
	return tx.queue(statement{query, args, visit})
}

// exec runs a statement, at the latest when answer is called or with the commit.
func (tx *transaction) exec(query string, args ...any) error {
	return tx.queue(statement{query: query, args: args})
}

// queue has a statement run after those that wait; at once where each is a trip anyway.
func (tx *transaction) queue(st statement) error {
	size := len(st.query) + sizeOfAll(st.args)
	if tx.bytes+size > chunkBytes {
		if err := tx.answer(); err != nil {
			return err
		}
	}
	tx.queued = append(tx.queued, st)
	tx.bytes += size
	if tx.dialect.speaker() == nil {
		return tx.answer()
	}
	return nil
}

// answered calls fn once all that was asked until now is answered.
func (tx *transaction) answered(fn func()) {
	if !slices.ContainsFunc(tx.queued, func(st statement) bool { return st.visit != nil }) {
		fn()
		return
	}
	tx.then = append(tx.then, fn)
}

// answer runs what is queued.
func (tx *transaction) answer() error {
	_, err := tx.send(tx.ctx)
	return err
}

// send runs what is queued, and returns how many rows the last one changed.
func (tx *transaction) send(ctx context.Context) (changed int64, err error) {
	list, then := tx.takeQueued()
	if len(list) == 0 || tx.failed != nil {
		return 0, tx.failed
	}
	ctx, cancel := context.WithTimeout(ctx, tx.limit)
	defer cancel()
	if changed, tx.failed = tx.run(ctx, list); tx.failed != nil {
		return 0, tx.failed
	}
	for _, fn := range then {
		fn()
	}
	return changed, nil
}

func (tx *transaction) takeQueued() (list []statement, then []func()) {
	list, then = tx.queued, tx.then
	tx.queued, tx.then, tx.bytes = nil, nil, 0
	return list, then
}

// query is ask, answered at once.
func (tx *transaction) query(visit func(row scanner) error, query string, args ...any) error {
	if err := tx.ask(visit, query, args...); err != nil {
		return err
	}
	return tx.answer()
}

// last is exec, at once, and returns how many rows were changed.
func (tx *transaction) last(query string, args ...any) (changed int64, err error) {
	tx.queued = append(tx.queued, statement{query: query, args: args})
	return tx.send(tx.ctx)
}

// seek calls visit, as ask does, for each row whose columns by equal one of keys, and locks them in their order if asked for.
func (tx *transaction) seek(r *relation, by []column, keys *tuples, lock bool, visit func(row scanner) error) error {
	return keys.chunks(func(part tuples) error {
		query, args := tx.dialect.pick(r, by, part, lock)
		return tx.ask(visit, query, args...)
	})
}

// pick is seek, answered at once.
func (tx *transaction) pick(r *relation, by []column, keys *tuples, lock bool, visit func(row scanner) error) error {
	if err := tx.seek(r, by, keys, lock, visit); err != nil || keys.len() == 0 {
		return err
	}
	return tx.answer()
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

// Commit runs what is queued, of which nothing asks, and commits, while ctx lasts.
func (tx *transaction) Commit(ctx context.Context) error {
	err := tx.failed
	if err == nil {
		list, _ := tx.takeQueued()
		ctx, cancel := context.WithTimeout(ctx, tx.limit)
		defer cancel()
		err = tx.commit(ctx, list)
	}
	if err != nil {
		_ = tx.Rollback() // the first error counts
	}
	return err
}

// rollbackOnPanic is deferred by what works with a transaction: the committer survives a panic, and nobody else would end it.
func (tx *transaction) rollbackOnPanic() {
	if cause := recover(); cause != nil {
		_ = tx.Rollback()
		panic(cause)
	}
}

// each calls visit for each row of a query's answer.
func each(rows *sql.Rows, err error, visit func(row scanner) error) error {
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
