package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"
)

// scanner is a row of an answer.
type scanner interface{ Scan(to ...any) error }

// statement is one query, with the server's placeholders. visit gets each row of its answer; without it, there is none.
type statement struct {
	query string
	args  []any
	visit func(row scanner) error
}

// session is the connection that a transaction has to itself, until commit or Rollback, whichever is called first.
type session interface {
	// run runs statements in their order, up to the first one that fails, and returns how many rows the last one changed.
	// Each sees what was committed before it began.
	run(ctx context.Context, list []statement) (changed int64, err error)
	// commit runs statements that answer with no rows, and commits. After an error the session is still to be rolled back.
	commit(ctx context.Context, list []statement) error
	Rollback() error
}

// stepwise is a session on a connection of which nothing is known: each statement is a trip.
type stepwise struct{ *sql.Tx }

func (s stepwise) run(ctx context.Context, list []statement) (changed int64, err error) {
	for i := range list {
		st := &list[i]
		if st.visit != nil {
			rows, err := s.QueryContext(ctx, st.query, st.args...)
			if err := each(rows, err, st.visit); err != nil {
				return 0, err
			}
			continue
		}
		result, err := s.ExecContext(ctx, st.query, st.args...)
		if err != nil {
			return 0, err
		}
		if changed, err = result.RowsAffected(); err != nil {
			return 0, err
		}
	}
	return changed, nil
}

// commit implements session; what database/sql began ends with the context that it was begun with.
func (s stepwise) commit(ctx context.Context, list []statement) error {
	if _, err := s.run(ctx, list); err != nil {
		return err
	}
	return s.Commit()
}

// The statements that end a transaction of a spoken session; dialect.begin begins it.
const (
	sayCommit   = "COMMIT"
	sayRollback = "ROLLBACK"
)

// rollbackTime bounds a ROLLBACK, whose caller's own time may be over; beyond it the connection is closed, which does the same.
const rollbackTime = time.Second

// unasked is the key of contexts that ask for a connection without a question whether it lives, which the first list answers.
type unasked struct{}

// speaker runs statements on a connection in few trips, as session.run does. It returns driver.ErrBadConn if the connection is
// gone and nothing of them can hold.
type speaker func(ctx context.Context, conn *sql.Conn, list []statement) (changed int64, err error)

// spoken is a session whose transaction is begun and committed by statements, so that these travel with the others. The first
// list begins it.
type spoken struct {
	db    *sql.DB
	conn  *sql.Conn
	speak speaker
	said  bool // the transaction may have begun
}

func speak(ctx context.Context, db *sql.DB, with speaker) (*spoken, error) {
	s := &spoken{db: db, speak: with}
	return s, s.connect(ctx)
}

func (s *spoken) connect(ctx context.Context) error {
	conn, err := s.db.Conn(context.WithValue(ctx, unasked{}, true))
	if err == nil {
		s.conn = conn
	}
	return err
}

// run implements session.
func (s *spoken) run(ctx context.Context, list []statement) (changed int64, err error) {
	if s.said {
		return s.speak(ctx, s.conn, list)
	}
	s.said = true
	return s.first(ctx, list)
}

// first runs the first list. The server may have closed a connection that nobody used, which shows when it is used: then
// another one is taken, as database/sql does for transactions of its own. No more than one is new: a server that is read
// only has each of them closed. What was read already was read under locks that are gone, and must not be mixed with what
// another connection reads.
func (s *spoken) first(ctx context.Context, list []statement) (changed int64, err error) {
	visited := false
	for i := range list {
		if visit := list[i].visit; visit != nil {
			list[i].visit = func(row scanner) error {
				visited = true
				return visit(row)
			}
		}
	}
	changed, err = s.speak(ctx, s.conn, list)
	for others := s.db.Stats().Idle; others >= 0 && !visited && errors.Is(err, driver.ErrBadConn); others-- {
		_ = s.conn.Close() // it is out of the pool already
		if err := s.connect(ctx); err != nil {
			return 0, err
		}
		changed, err = s.speak(ctx, s.conn, list)
	}
	return changed, err
}

// commit implements session.
func (s *spoken) commit(ctx context.Context, list []statement) error {
	if _, err := s.run(ctx, append(list, statement{query: sayCommit})); err != nil {
		return err
	}
	return s.conn.Close() // which goes back to the pool
}

// Rollback takes back what was not committed.
func (s *spoken) Rollback() error {
	if !s.said {
		return s.conn.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackTime)
	defer cancel()
	_, err := s.conn.ExecContext(ctx, sayRollback)
	if errors.Is(err, sql.ErrConnDone) {
		return err
	}
	if err != nil {
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody else may get it
	}
	return errors.Join(err, s.conn.Close())
}
