package sqlstore

import (
	"context"
	"errors"
	"sync/atomic"
)

// tenure is one node's time as the only one, from when it takes the lease until it stops or somebody else takes it.
type tenure struct {
	holder string // as its lease says
}

func newTenure(node string) *tenure {
	holder, _ := newHolder(node)
	return &tenure{holder}
}

// sole is the seat of a node that has the ledger to itself. The lease only says who starts: what keeps two from writing both are
// the rows of the writers, which each commit changes one of. Whoever takes the lease removes all of them, and waits for the commits
// under way; after that no commit of anybody else finds its row, even if that one was frozen and knows nothing of it.
type sole struct {
	s       *Store
	node    string
	watch   *watch                 // of who has taken the lease
	current atomic.Pointer[tenure] // nil: somebody else has taken the lease
	keeper  *keeper
}

func newSole(s *Store, node string) *sole {
	return &sole{s: s, node: node, watch: newWatch(2 * soleTerm / leaseRenewals)}
}

func (o *sole) take(ctx context.Context, w *watch) (ready bool, err error) {
	t := newTenure(o.node)
	err = o.s.within(ctx, func(tx *transaction) error {
		asked := w.look()
		held, err := tx.lockSole()
		if err != nil {
			return err
		}
		others, err := tx.sharers()
		if err != nil {
			return err
		}
		if held.holder != "" {
			others = append(others, held)
		}
		if ready, err = w.quiet(asked, others); err != nil || !ready {
			return err
		}
		if err := o.s.sameLedger(tx); err != nil {
			return err
		}
		return errors.Join(tx.fence(), tx.forgetSharers(), tx.holdSole(t.holder),
			tx.exec(o.renewal(tx), soleTerm.Milliseconds(), []byte(soleLease), []byte(t.holder)))
	})
	if ready = ready && err == nil; ready {
		o.current.Store(t)
	}
	return ready, err
}

func (o *sole) renewal(tx *transaction) string {
	return tx.dialect.bind("UPDATE yanlink_leases SET until_at = " + tx.renewed() + " WHERE name = ? AND holder = ?")
}

func (o *sole) keep() { o.keeper = startKeeper(soleTerm, o.renew) }

// renew says that the holder is there, or takes the lease again when whoever had it is gone.
func (o *sole) renew(ctx context.Context) {
	t := o.current.Load()
	if t == nil {
		o.comeBack(ctx)
		return
	}
	kept := false
	err := o.s.within(ctx, func(tx *transaction) error {
		changed, err := tx.last(o.renewal(tx), soleTerm.Milliseconds(), []byte(soleLease), []byte(t.holder))
		kept = changed == 1
		return err
	})
	switch {
	case err != nil:
		o.s.log.Warn("the lease of the ledger was not renewed", "error", err)
	case !kept:
		o.lose(t)
	}
}

func (o *sole) comeBack(ctx context.Context) {
	ready, err := o.take(ctx, o.watch)
	switch {
	case ready:
		o.s.log.Info("this node has the ledger to itself again")
	case err != nil && !errors.Is(err, ErrHeld) && !errors.Is(err, ErrShared):
		o.s.log.Warn("the lease of the ledger was not taken again", "error", err)
	}
}

func (o *sole) tenure() (*tenure, error) {
	if t := o.current.Load(); t != nil {
		return t, nil
	}
	return nil, ErrHeld
}

// admit makes sure that the tenure lasts.
func (o *sole) admit(tx *transaction, t *tenure) error {
	held, err := tx.readSole(tx.dialect.lockShared())
	if err == nil && held.holder != t.holder {
		o.lose(t)
		err = ErrHeld
	}
	return err
}

// lose notes that somebody else has taken the ledger: nothing is written any more.
func (o *sole) lose(t *tenure) {
	if o.current.CompareAndSwap(t, nil) {
		o.s.log.Error("another node has taken the ledger, as this one said nothing for too long; nothing is written until that one is gone")
	}
}

func (o *sole) stop() {
	o.keeper.stop()
	t := o.current.Load()
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseRelease)
	defer cancel()
	if err := o.s.within(ctx, func(tx *transaction) error {
		return tx.exec(tx.dialect.bind("UPDATE yanlink_leases SET holder = ? WHERE name = ? AND holder = ?"), []byte{}, []byte(soleLease), []byte(t.holder))
	}); err != nil {
		o.s.log.Warn("the lease of the ledger was not given up; another node starts when it is over", "error", err)
	}
}
