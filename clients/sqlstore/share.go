package sqlstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// sharesForgotten is how long ago a lease has run out that is removed without having been watched: of a node that was killed.
const sharesForgotten = time.Hour

// share is the seat of a node that shares the ledger. Its lease only keeps away a node that wants the ledger to itself: nodes
// that share it do not wait for each other. Who has no name keeps nobody away.
type share struct {
	s             *Store
	lease, holder string
	watch         *watch      // of who has the ledger to itself
	outside       atomic.Bool // somebody has, or had, the ledger to itself
	keeper        *keeper
}

func newShare(s *Store, node string) *share {
	h := &share{s: s, watch: newWatch(2 * shareTerm / leaseRenewals)}
	if node != "" {
		holder, start := newHolder(node)
		h.lease, h.holder = shareLeases+start, holder
	}
	return h
}

func (h *share) take(ctx context.Context, w *watch) (ready bool, err error) {
	err = h.s.within(ctx, func(tx *transaction) error {
		asked := w.look()
		held, err := tx.lockSole()
		if err != nil {
			return err
		}
		var others []occupant
		if held.holder != "" {
			others = append(others, held)
		}
		if ready, err = w.quiet(asked, others); err != nil || !ready {
			return err
		}
		if err := h.s.sameLedger(tx); err != nil {
			return err
		}
		if len(others) > 0 {
			if err := errors.Join(tx.fence(), tx.holdSole("")); err != nil {
				return err
			}
		}
		return errors.Join(h.forget(tx), h.enter(tx))
	})
	return ready && err == nil, err
}

// forget removes the leases of nodes that were killed long ago. They are looked for without a lock, as others renew theirs.
func (h *share) forget(tx *transaction) error {
	var old tuples
	if err := tx.query(func(rows scanner) error {
		var name []byte
		err := rows.Scan(&name)
		old.add(name)
		return err
	}, tx.dialect.bind("SELECT name FROM yanlink_leases WHERE name >= ? AND name < ? AND until_at < "+tx.dialect.now()+" - ?"),
		[]byte(shareLeases), []byte(shareLeasesEnd), sharesForgotten.Milliseconds()); err != nil {
		return err
	}
	return tx.remove(leases, leases.key(1), &old)
}

// enter says that the node is there.
func (h *share) enter(tx *transaction) error {
	if h.lease == "" {
		return nil
	}
	var row tuples
	row.add(h.lease, h.holder, int64(0))
	return errors.Join(tx.put(leases, &row, keep), tx.exec(h.renewal(tx), shareTerm.Milliseconds(), []byte(h.lease)))
}

func (h *share) renewal(tx *transaction) string {
	return tx.dialect.bind("UPDATE yanlink_leases SET until_at = " + tx.renewed() + " WHERE name = ?")
}

func (h *share) keep() {
	if h.lease != "" {
		h.keeper = startKeeper(shareTerm, h.renew)
	}
}

// renew also has the node come back when whoever had the ledger to itself is no more.
func (h *share) renew(ctx context.Context) {
	renewed := false
	err := h.s.within(ctx, func(tx *transaction) error {
		changed, err := tx.last(h.renewal(tx), shareTerm.Milliseconds(), []byte(h.lease))
		renewed = changed == 1
		return err
	})
	if err == nil && (!renewed || h.outside.Load()) {
		err = h.comeBack(ctx)
	}
	if err != nil && !errors.Is(err, ErrHeld) {
		h.s.log.Warn("the node's lease of the ledger was not renewed", "error", err)
	}
}

func (h *share) comeBack(ctx context.Context) error {
	ready, err := h.take(ctx, h.watch)
	if ready && h.outside.Swap(false) {
		h.s.log.Info("nobody has the ledger to itself any more; this node writes again")
	}
	return err
}

func (h *share) tenure() (*tenure, error) { return nil, nil }

// admit also says that the node is there: it may have been taken to be no more.
func (h *share) admit(tx *transaction, _ *tenure) error {
	held, err := tx.readSole(tx.dialect.lockShared())
	if err != nil {
		return err
	}
	if held.holder != "" {
		if !h.outside.Swap(true) {
			h.s.log.Error("another node has taken the ledger for itself, as this one said nothing for too long; nothing is written until that one is gone", "holder", held.node())
		}
		return ErrHeld
	}
	return h.enter(tx)
}

func (h *share) stop() {
	h.keeper.stop()
	if h.lease == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseRelease)
	defer cancel()
	if err := h.s.within(ctx, func(tx *transaction) error {
		return tx.exec(tx.dialect.bind("DELETE FROM yanlink_leases WHERE name = ?"), []byte(h.lease))
	}); err != nil {
		h.s.log.Warn("the node's lease of the ledger was not given up; a node that wants the ledger to itself waits until it is over", "error", err)
	}
}

// sharers returns the nodes that share the ledger, and those that did and have not said that they go. It locks their leases: a server
// that answers but commits nothing has a renewal wait, and so this, which then does not count as a look.
func (tx *transaction) sharers() (list []occupant, err error) {
	err = tx.query(func(rows scanner) error {
		var o occupant
		err := rows.Scan(&o.lease, &o.holder, number(&o.until))
		list = append(list, o)
		return err
	}, tx.dialect.bind("SELECT name, holder, until_at FROM yanlink_leases WHERE name >= ? AND name < ? ORDER BY name FOR UPDATE"),
		[]byte(shareLeases), []byte(shareLeasesEnd))
	return list, err
}

// forgetSharers removes their leases.
func (tx *transaction) forgetSharers() error {
	return tx.exec(tx.dialect.bind("DELETE FROM yanlink_leases WHERE name >= ? AND name < ?"), []byte(shareLeases), []byte(shareLeasesEnd))
}
