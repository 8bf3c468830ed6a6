package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// transaction is one transaction with the statements of many rows that a batch is made of.
type transaction struct {
	*sql.Tx
	ctx     context.Context
	dialect dialect
}

// begin starts a transaction at READ COMMITTED: each statement sees what was committed before it began, so that what is
// read after a lock was waited for is what the lock's last holder left.
func (s *Store) begin(ctx context.Context) (*transaction, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return nil, err
	}
	return &transaction{Tx: tx, ctx: ctx, dialect: s.dialect}, nil
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
	rows, err := tx.QueryContext(tx.ctx, query, args...)
	return each(rows, err, visit)
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

func (tx *transaction) exec(query string, args ...any) error {
	_, err := tx.ExecContext(tx.ctx, query, args...)
	return err
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
