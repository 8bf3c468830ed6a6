package pebblestore

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

var errClosed = errors.New("the ledger is closed")

// Commit implements ws.Committer. Batches are written one after another; a caller waits for its turn, and for the disk,
// until ctx ends. While a disk fails it returns at once.
func (s *Store) Commit(ctx context.Context, ops []ws.Op) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	c, err := s.prepare(ops)
	if err != nil || c == nil {
		s.turn <- struct{}{}
		return s.translate(err)
	}
	s.db.work <- c // taken at once: whoever has the turn is the only one who sends
	select {
	case err := <-c.done:
		err = s.finish(err)
		s.turn <- struct{}{}
		return err
	case <-s.db.failed:
		// The database may never answer. What of the batch reached the disk, the next opening will find.
		s.writer = nil
		err := s.db.err
		s.turn <- struct{}{}
		return unavailable(err)
	case <-ctx.Done():
		go s.await(s.db, c) // Close waits for it, by the turn
		return unavailable(ctx.Err())
	}
}

// takeTurn waits until nobody else writes, until ctx ends or the store is closed.
func (s *Store) takeTurn(ctx context.Context) error {
	select {
	case <-s.closing:
		return unavailable(errClosed)
	default:
	}
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-s.closing:
		return unavailable(errClosed)
	}
}

// await keeps the turn for a commit that outlived its caller.
func (s *Store) await(d *database, c *commit) {
	select {
	case err := <-c.done:
		_ = s.finish(err) // nobody is left to be told; a failure has been logged where the database was given up
	case <-d.failed:
		s.writer = nil
	}
	s.turn <- struct{}{}
}

// prepare builds the batch; a nil commit means that there is nothing to write.
func (s *Store) prepare(ops []ws.Op) (*commit, error) {
	if s.writer == nil {
		return nil, s.reason()
	}
	if err := s.space.check(&s.opt); err != nil {
		return nil, err
	}
	err := guard(func() error { return s.writer.build(ops) })
	if err != nil {
		return nil, errors.Join(err, guard(s.writer.rollback))
	}
	if s.writer.batch.Empty() {
		s.writer.settle(s.recent.note)
		return nil, nil
	}
	return &commit{batch: s.writer.batch.Batch, done: make(chan error, 1)}, nil
}

func (s *Store) reason() error {
	if why := s.why.Load(); why != nil {
		return unavailable(*why)
	}
	return unavailable(errClosed)
}

// finish makes what a commit wrote visible, or gives the database up.
func (s *Store) finish(err error) error {
	if err == nil {
		err = guard(func() error {
			s.show(newView(s.db))
			s.writer.settle(s.recent.note)
			return nil
		})
	}
	if err == nil {
		return nil
	}
	s.db.give(err, false)
	s.writer = nil
	return unavailable(err)
}

// translate turns an error from below into one of the contract's.
func (s *Store) translate(err error) error {
	var coded *protocol.Error
	if err == nil || errors.As(err, &coded) {
		return err
	}
	if errors.Is(err, errCorrupt) || pebble.IsCorruptionError(err) {
		s.log.Error("the ledger is damaged", "error", err)
		return err
	}
	return unavailable(err)
}
