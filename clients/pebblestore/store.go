package pebblestore

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// Store is the ledger in one folder of this machine. It is safe for concurrent use.
type Store struct {
	opt    Options
	log    *slog.Logger
	lock   io.Closer
	info   ws.LedgerInfo
	secret ws.Secret

	// turn holds one token; whoever has it may use what follows. A commit that outlives its caller's deadline keeps it.
	turn   chan struct{}
	db     *database
	writer *writer // nil while the database is given up
	space  space

	view   atomic.Pointer[view] // what readers see; nil once closed
	recent *recent
	filter *dedupFilter
	why    atomic.Pointer[error] // the last reason why the database was given up
	backup sync.Mutex            // held while a backup is made

	closing chan struct{}
	closed  sync.Once
	tender  sync.WaitGroup // the goroutines that open the database again and fill the filter
	graves  sync.WaitGroup // databases being closed
}

var _ ws.Store = (*Store)(nil)

// Info describes the ledger.
func (s *Store) Info() ws.LedgerInfo { return s.info }

// Secret returns the ledger's secret.
func (s *Store) Secret() ws.Secret { return s.secret }

// unavailable wraps why the ledger cannot be used now.
func unavailable(cause error) error {
	return &protocol.Error{Code: protocol.StorageUnavailable, Message: ws.ErrUnavailable.Message, Cause: cause}
}

// begin takes a freshly opened database into use; the caller has the turn, or nobody else knows the store yet.
func (s *Store) begin(d *database) error {
	w, err := newWriter(d.DB, s.filter)
	if err != nil {
		return err
	}
	s.db, s.writer = d, w
	s.show(newView(d))
	return nil
}

// show lets readers see v from now on; nil: nothing any more.
func (s *Store) show(v *view) {
	if old := s.view.Swap(v); old != nil {
		old.release()
	}
}

// tend opens the database again whenever it failed, until the store is closed.
func (s *Store) tend() {
	for {
		broken := s.db
		select {
		case <-broken.failed:
		case <-s.closing:
			return
		}
		s.log.Error("the ledger cannot be written; it will be opened again", "error", broken.err)
		s.why.Store(&broken.err)
		<-s.turn
		s.writer = nil
		s.turn <- struct{}{}
		broken.fence.raise() // on a disk that hangs, this waits for the answer
		if !s.revive() {
			return
		}
		s.log.Info("the ledger can be written again")
		s.graves.Go(func() { s.bury(broken) })
	}
}

// revive opens the database, again and again with growing delay; false when the store is closed meanwhile.
func (s *Store) revive() bool {
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		select {
		case <-time.After(delay):
		case <-s.closing:
			return false
		}
		err := s.reopen()
		if err == nil {
			return true
		}
		s.why.Store(&err)
		s.log.Warn("the ledger cannot be opened yet", "error", err, "retry", delay)
	}
}

func (s *Store) reopen() error {
	if err := probe(s.opt.FS, s.opt.Dir); err != nil {
		return err
	}
	d, err := openDatabase(&s.opt)
	if err != nil {
		return err
	}
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if err := guard(func() error { return s.begin(d) }); err != nil {
		d.fence.raise()
		s.graves.Go(func() { s.bury(d) })
		return err
	}
	s.recent.forget() // the last commit before may have held although nobody was told
	return nil
}

// bury closes a database once its last reader has gone.
func (s *Store) bury(d *database) {
	d.views.Wait()
	if err := d.close(s.log); err != nil {
		s.log.Debug("a failed opening of the ledger closed with an error", "error", err)
	}
}

// Close waits for the commit under way and for readers, ends a backup, and frees everything. Calls after it return ErrUnavailable.
// Of a disk that hangs, it waits for the answer.
func (s *Store) Close() (err error) {
	s.closed.Do(func() {
		close(s.closing)
		s.tender.Wait()
		s.backup.Lock() // of one that is being made, until it has noticed and cleaned up
		defer s.backup.Unlock()
		<-s.turn // for good: no commit comes after, and one that outlived its caller is done
		s.show(nil)
		s.writer = nil
		s.db.views.Wait()
		err = s.db.close(s.log)
		s.graves.Wait()
		if unlock := s.lock.Close(); err == nil {
			err = unlock
		}
	})
	return err
}

// read calls fn with what is durable now.
func (s *Store) read(ctx context.Context, fn func(r pebble.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return unavailable(err)
	}
	v := s.view.Load()
	for v != nil && !v.acquire() {
		v = s.view.Load()
	}
	if v == nil {
		return unavailable(errClosed)
	}
	defer v.release()
	return s.translate(guard(func() error { return fn(v) }))
}
