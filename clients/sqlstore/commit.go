package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxTries is how often one batch is run at most, because the server asked for it or because more turned out to be needed.
const maxTries = 30

// Commit implements ws.Committer. Several batches may be under way at one time; those that concern the same
// conversations, users or devices wait for each other.
func (s *Store) Commit(ctx context.Context, ops []ws.Op) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return s.translate(s.commit(ctx, ops))
}

func (s *Store) commit(ctx context.Context, ops []ws.Op) error {
	w, err := s.takeWriter(ctx)
	if err != nil {
		return err
	}
	defer func() { s.writers <- w.next() }()
	if done, err := s.assume(ctx, ops, w); done || err != nil {
		return err
	}
	p := newPlan(ops)
	err = s.run(ctx, p, ops, w)
	if !errors.Is(err, errNoWriter) {
		return err
	}
	// Somebody took the ledger to itself, and nothing of this was written: from a new place, if that one is gone.
	t, err := s.seat.tenure()
	if err != nil {
		return err
	}
	*w = *newWriter(t)
	if err := s.enroll(ctx, w); err != nil {
		w.lost = true
		return err
	}
	return s.run(ctx, p, ops, w)
}

// run brings a batch through, however often it has to be begun.
func (s *Store) run(ctx context.Context, p *plan, ops []ws.Op, w *writer) (err error) {
	if p.numbers, err = s.give(ctx, p.schedules, w); err != nil {
		return err
	}
	for range maxTries {
		done := false
		err := s.again(ctx, func() (err error) {
			done, err = s.try(ctx, p, ops, w)
			return err
		})
		if err != nil || done {
			return err
		}
		if len(p.reserve) > 0 {
			if err := s.reserve(ctx, p, w); err != nil {
				return err
			}
		}
	}
	return refuse(protocol.Internal, "the batch needs ever more of the ledger")
}

// again runs fn until the server does not ask for that any more: transactions that stood in each other's way are rolled
// back as a whole.
func (s *Store) again(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if err == nil || !s.dialect.again(err) || try == maxTries {
			return err
		}
		pause := time.Duration(1+rand.IntN(4*try)) * time.Millisecond
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try runs the batch once. It is not done when its ops need more than the plan had.
func (s *Store) try(ctx context.Context, p *plan, ops []ws.Op, w *writer) (done bool, err error) {
	if err := s.resolve(ctx, p); err != nil {
		return false, err
	}
	p.messages(ops)
	tx, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.rollbackOnPanic()
	v, err := s.prepare(tx, p, ops, w)
	if err != nil || v.lacking {
		_ = tx.Rollback() // nothing was written
		return false, err
	}
	if v.unchanged() {
		// What it says is there already: a server whose copies confirm what it commits has to wait for them with this too.
		err := tx.Commit(ctx)
		return err == nil, err
	}
	if err := s.finish(ctx, tx, v, w); err != nil {
		return false, err
	}
	s.memory.remember(v)
	for _, c := range v.conversations.dirty {
		if c.exists && c.val.Kind != ws.Direct && c.val.members != nil {
			s.lists.put(c.key, c.val.MembersVersion, c.val.members)
		}
	}
	return true, nil
}

// prepare applies the ops in memory.
func (s *Store) prepare(tx *transaction, p *plan, ops []ws.Op, w *writer) (*view, error) {
	v, err := s.load(tx, p, w)
	if err != nil {
		return nil, err
	}
	return v, v.apply(ops)
}

// finish writes what the ops changed and commits.
func (s *Store) finish(ctx context.Context, tx *transaction, v *view, w *writer) error {
	w.batch++
	if err := tx.write(v, w); err != nil {
		_ = tx.Rollback() // the first error counts
		return err
	}
	err := tx.Commit(ctx)
	if err != nil && !s.dialect.again(err) && !s.dialect.refused(err) {
		err = s.settle(ctx, w, err)
	}
	if err == nil {
		w.signed = w.batch
	}
	return err
}

// settle finds out what became of a commit whose answer was lost. If ctx is over as well, nobody knows.
func (s *Store) settle(ctx context.Context, w *writer, cause error) error {
	held, err := s.held(ctx, w)
	if err != nil {
		w.lost = true
		return errors.Join(cause, err)
	}
	s.log.Warn("a commit was not answered with a yes; the ledger said what became of it", "held", held, "error", cause)
	if held {
		return nil
	}
	return cause
}
