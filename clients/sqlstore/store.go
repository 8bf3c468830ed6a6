package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// Store is the ledger in a database that other nodes use too. It is safe for concurrent use.
type Store struct {
	opt     Options
	log     *slog.Logger
	db      *sql.DB
	dialect dialect
	info    ws.LedgerInfo
	secret  ws.Secret

	use        sync.RWMutex // held for reading by whatever uses the database, for writing by Close
	closed     bool
	background sync.WaitGroup // reads that several callers share, who may not wait for them

	writers chan *writer // those that nobody commits from; nil: one to be made
	names   *nameCache
	lists   *listCache
	memory  *memory
	numbers numbers
	tokens  tokenReads
	seat    seat // nil until it is open, and of a command that only looks
}

var _ ws.Store = (*Store)(nil)

var errClosed = errors.New("the ledger is closed")

// Info describes the ledger.
func (s *Store) Info() ws.LedgerInfo { return s.info }

// Secret returns the ledger's secret.
func (s *Store) Secret() ws.Secret { return s.secret }

// Time returns what the server's clock shows.
func (s *Store) Time(ctx context.Context) (ws.Millis, error) {
	var now ws.Millis
	err := s.one(ctx, func(rows scanner) error { return rows.Scan(number(&now)) }, "SELECT "+s.dialect.now())
	return now, err
}

// Close waits for commits and reads under way and frees everything. Calls after it return ErrUnavailable.
func (s *Store) Close() error {
	s.use.Lock()
	defer s.use.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.background.Wait()
	if s.seat != nil {
		s.seat.stop()
	}
	if s.opt.DB != nil {
		return nil
	}
	return s.db.Close()
}

// enter keeps the store open until leave is called.
func (s *Store) enter() error {
	s.use.RLock()
	if s.closed {
		s.use.RUnlock()
		return unavailable(errClosed)
	}
	return nil
}

func (s *Store) leave() { s.use.RUnlock() }

// unavailable wraps why the ledger cannot be used now.
func unavailable(cause error) error {
	return &protocol.Error{Code: protocol.StorageUnavailable, Message: ws.ErrUnavailable.Message, Cause: cause}
}

// translate turns an error from below into one of the contract's: what the server does not refuse for what it says is
// trouble with the server, the network or the time, and passes. After it the server may be another one that lacks the last
// commits, so that nothing that was remembered counts any more.
func (s *Store) translate(err error) error {
	var coded *protocol.Error
	if err == nil || errors.As(err, &coded) || s.dialect.refused(err) {
		return err
	}
	s.forget()
	return unavailable(err)
}

// forget forgets all that was remembered.
func (s *Store) forget() {
	s.names.Purge()
	s.lists.forget()
	s.memory.forget()
}

// read calls fn with a context that ends with the statement timeout.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	bounded, cancel := context.WithTimeout(ctx, s.opt.StatementTimeout)
	defer cancel()
	began := time.Now()
	err := fn(bounded)
	if err != nil && ctx.Err() != nil && (errors.Is(ctx.Err(), context.Canceled) || time.Since(began) < hangTime) {
		return unavailable(err) // the caller went, or had no time: that says nothing of the server, and what is remembered still counts
	}
	return s.translate(err)
}

// hangTime is how long a statement takes that has the server suspected of being another one when it answers again.
const hangTime = time.Second

// query calls visit for each row of a query with question marks in the place of args.
func (s *Store) query(ctx context.Context, visit func(rows scanner) error, query string, args ...any) error {
	return s.read(ctx, func(ctx context.Context) error {
		rows, err := s.db.QueryContext(ctx, s.dialect.bind(query), args...)
		return each(rows, err, visit)
	})
}

// one is query for what is one row or none.
func (s *Store) one(ctx context.Context, scan func(rows scanner) error, query string, args ...any) error {
	found := false
	err := s.query(ctx, func(rows scanner) error {
		found = true
		return scan(rows)
	}, query, args...)
	if err == nil && !found {
		return ws.ErrNotFound
	}
	return err
}
