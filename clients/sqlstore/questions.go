package sqlstore

import (
	"cmp"
	"database/sql"
	"errors"
)

var errAnswers = errors.New("sqlstore: the server answered fewer queries than it was asked")

// questions are queries that wait to be asked in one trip, where the connection takes many in one text.
type questions struct {
	texts  []string
	args   []any
	bytes  int
	visits []func(rows *sql.Rows) error
	then   []func()
}

// ask calls visit for each row of a query's answer, at the latest when answer is called: the server runs what was asked in
// that order, each query seeing what was committed before it began.
func (tx *transaction) ask(visit func(rows *sql.Rows) error, query string, args ...any) error {
	if !tx.dialect.joins() {
		return tx.query(visit, query, args...)
	}
	size := sizeOfAll(query, args)
	if tx.asked.bytes+size > chunkBytes {
		if err := tx.answer(); err != nil {
			return err
		}
	}
	q := &tx.asked
	q.texts, q.args, q.visits, q.bytes = append(q.texts, query), append(q.args, args...), append(q.visits, visit), q.bytes+size
	return nil
}

// seek is pick, answered like ask.
func (tx *transaction) seek(r *relation, by []column, keys *tuples, lock bool, visit func(rows *sql.Rows) error) error {
	return keys.chunks(func(part tuples) error {
		query, args := tx.dialect.pick(r, by, part, lock)
		return tx.ask(visit, query, args...)
	})
}

// answered calls fn once all that was asked until now is answered.
func (tx *transaction) answered(fn func()) {
	if len(tx.asked.texts) == 0 {
		fn()
		return
	}
	tx.asked.then = append(tx.asked.then, fn)
}

// answer asks what waits.
func (tx *transaction) answer() error {
	q := tx.asked
	tx.asked = questions{}
	if len(q.texts) == 0 {
		return nil
	}
	all := tx.takeQueued()
	all.texts, all.args = append(all.texts, q.texts...), append(all.args, q.args...)
	rows, err := tx.QueryContext(tx.ctx, all.text(), all.args...)
	return q.read(rows, err) // what was queued answers with no rows, and is passed over
}

// read visits one result after the other.
func (q *questions) read(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what it says, Err has said
	for i, visit := range q.visits {
		if i > 0 && !rows.NextResultSet() {
			return cmp.Or(rows.Err(), errAnswers)
		}
		for rows.Next() {
			if err := visit(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	for _, fn := range q.then {
		fn()
	}
	return nil
}
