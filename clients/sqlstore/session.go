package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"
)

// session is the connection that a transaction has to itself, until Commit or Rollback, whichever is called first.
type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Commit() error
	Rollback() error
}

// The statements that begin and end a transaction of a spoken session.
const (
	sayBegin    = "START TRANSACTION"
	sayCommit   = "COMMIT"
	sayRollback = "ROLLBACK"
)

// rollbackTime bounds a ROLLBACK, whose caller's own time may be over; beyond it the connection is closed, which does the same.
const rollbackTime = time.Second

// spoken is a session whose transaction is begun and committed by statements, so that these travel with the others in one
// text. The first text begins it and the last one, before Commit, ends it.
type spoken struct {
	ctx  context.Context // bounds the wait for a connection
	db   *sql.DB
	conn *sql.Conn
	said bool // something may have reached the server
}

func speak(ctx context.Context, db *sql.DB) (*spoken, error) {
	conn, err := db.Conn(ctx)
	return &spoken{ctx: ctx, db: db, conn: conn}, err
}

// ExecContext implements session.
func (s *spoken) ExecContext(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	err = s.say(func() (err error) {
		result, err = s.conn.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// QueryContext implements session.
func (s *spoken) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = s.say(func() (err error) {
		rows, err = s.conn.QueryContext(ctx, query, args...)
		return err
	})
	return rows, err
}

// say runs fn. The server may have closed a connection that nobody used, which shows when it is used and before anything was
// sent: then another one is taken, as database/sql does for transactions of its own. No more than one is new: a server that
// is read only has the driver close each of them.
func (s *spoken) say(fn func() error) error {
	err := fn()
	for others := s.db.Stats().Idle; others >= 0 && !s.said && errors.Is(err, driver.ErrBadConn); others-- {
		_ = s.conn.Close() // it is out of the pool already
		another, failed := s.db.Conn(s.ctx)
		if failed != nil {
			return failed
		}
		s.conn = another
		err = fn()
	}
	s.said = true
	return err
}

// Commit gives the connection back, on which the transaction is committed.
func (s *spoken) Commit() error { return s.conn.Close() }

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
