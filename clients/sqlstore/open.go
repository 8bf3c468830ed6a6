package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrUnsafe says that the server's settings may lose what it has committed.
	ErrUnsafe = errors.New("the database server may lose what it has committed")
	// ErrReadOnly says that the server is a copy, or was set to be read only.
	ErrReadOnly = errors.New("the database server cannot be written")
)

// Open opens the ledger in a database, and makes its tables unless opt.NoMigrate is set. It waits for a server that cannot
// be reached until ctx ends. Its error says what is wrong and what to do about it, and wraps one of the errors of this
// package where that is the reason.
func Open(ctx context.Context, opt Options) (*Store, error) {
	s, err := connect(ctx, opt)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect reaches the server.
func connect(ctx context.Context, opt Options) (*Store, error) {
	opt.defaults()
	d, err := dialectOf(opt.Driver, opt.DB == nil)
	if err != nil {
		return nil, err
	}
	s := &Store{opt: opt, log: opt.Log, db: opt.DB, dialect: d, names: newNameCache(), lists: newListCache(), memory: newMemory(), numbers: newNumbers()}
	if s.db == nil {
		if s.db, err = d.open(&opt); err != nil {
			return nil, fmt.Errorf("the database's data source name is not understood: %w", err)
		}
		s.db.SetMaxOpenConns(opt.MaxConns)
		s.db.SetMaxIdleConns(opt.IdleConns)
		s.db.SetConnMaxLifetime(opt.ConnLifetime)
		s.db.SetConnMaxIdleTime(idleTime)
	}
	s.writers = newWriters(max(opt.MaxConns/2, 1))
	if err := s.reach(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// reachTime is how long somebody at a terminal waits for the server.
const reachTime = 30 * time.Second

// connectSoon reaches the server for somebody at a terminal.
func connectSoon(ctx context.Context, opt Options) (*Store, error) {
	opt.StartTimeout = reachTime
	return connect(ctx, opt)
}

// reach waits until the server answers, StartTimeout is over or ctx ends.
func (s *Store) reach(ctx context.Context) error {
	if s.opt.StartTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.opt.StartTimeout)
		defer cancel()
	}
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 2*time.Second) {
		try, cancel := context.WithTimeout(ctx, s.opt.StatementTimeout)
		err := s.db.PingContext(try)
		cancel()
		if err == nil {
			return nil
		}
		s.log.Warn("the ledger's database cannot be reached yet", "error", err, "retry", delay)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return fmt.Errorf("the database cannot be reached; look at its address, and whether it runs: %w", unavailable(err))
		}
	}
}

func (s *Store) open(ctx context.Context) error {
	unsafe, readOnly, err := s.dialect.inspect(ctx, s.db)
	switch {
	case err != nil:
		return fmt.Errorf("the database server's settings cannot be read: %w", err)
	case readOnly:
		return fmt.Errorf("%w: it is a copy or set to be read only; name the primary in store.dsn", ErrReadOnly)
	case len(unsafe) > 0 && !s.opt.AllowUnsafe:
		return fmt.Errorf("%w: %s; or set store.allowUnsafe if that is meant", ErrUnsafe, strings.Join(unsafe, "; "))
	case len(unsafe) > 0:
		s.log.Warn("the database server may lose what it has committed", "settings", strings.Join(unsafe, "; "))
	}
	if !s.opt.NoMigrate {
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	if err := s.readLedger(ctx); err != nil {
		return err
	}
	return s.occupy(ctx)
}

// readLedger reads what the ledger says of itself, and whether this program can use it.
func (s *Store) readLedger(ctx context.Context) (err error) {
	s.info, err = s.inform(ctx, s.db)
	if err == nil && s.info.Format < format {
		err = fmt.Errorf("%w: they have format %d, and it needs %d; run yanlink migrate, or set store.migrate to auto",
			ErrNotMigrated, s.info.Format, format)
	}
	if err == nil {
		s.secret, err = s.readSecret(ctx)
	}
	return err
}

// Bounds of what a connection may hold up. A node that is cut off in the middle of a transaction holds its locks until the
// server gives the connection up.
const (
	idleTime   = 5 * time.Second  // after which a connection nobody uses is closed by us
	silentTime = 10 * time.Second // after which one that says nothing is closed by the server
	lockTime   = 5 * time.Second  // how long a statement waits for a lock before its batch is run again
)
