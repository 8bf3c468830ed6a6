package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yanlink/yanlink/ws"
)

var (
	// ErrHeld says that another node has the ledger to itself.
	ErrHeld = errors.New("another node has the ledger to itself")
	// ErrShared says that nodes of a cluster share the ledger, so that none can have it to itself.
	ErrShared = errors.New("nodes of a cluster share the ledger")
)

const (
	// soleLease is the name of the one lease that is always there. Whoever has the ledger to itself holds it, otherwise nobody
	// does; everything about leases but their renewal happens while it is locked.
	soleLease = "ledger"
	// shareLeases begins the names of the leases of nodes that share the ledger, and shareLeasesEnd is what all of them are below.
	shareLeases, shareLeasesEnd = "node ", "node!"

	// soleTerm and shareTerm are how long a lease may stay as it is until its node is taken to be no more.
	soleTerm, shareTerm = 5 * time.Second, 15 * time.Second
	// leaseRenewals is how often a node renews its lease in that time, and leaseTries how often it may fail to.
	leaseRenewals, leaseTries = 4, 2
	// leaseLook is how often a node that comes to start looks at the leases of others.
	leaseLook = 200 * time.Millisecond
	// leaseRelease is how long a node that ends waits for the server, to let the next one start at once.
	leaseRelease = 2 * time.Second
)

// occupant is a node that uses the ledger, as its lease says. A lease that was given up has no holder, or is gone.
type occupant struct {
	lease  string // its name
	holder string // the node, and what tells its starts apart
	until  ws.Millis
}

func (o *occupant) node() string {
	node, _, _ := strings.Cut(o.holder, " ")
	return node
}

func (o *occupant) term() time.Duration {
	if o.lease == soleLease {
		return soleTerm
	}
	return shareTerm
}

// refusal is why nobody starts beside an occupant that lives.
func (o *occupant) refusal() error {
	if o.lease == soleLease {
		return fmt.Errorf("%w: %s renews its lease; stop it first, or let both be nodes of a cluster", ErrHeld, o.node())
	}
	return fmt.Errorf("%w: %s renews its lease; stop them first, or let this be one of them: registry.driver and bus.driver as they have them",
		ErrShared, o.node())
}

// watch finds out which occupants are no more: those whose leases were not given up, and stay as they are for their term by one's
// own clock. So neither the server's clock nor a time in which nobody could reach it makes one that lives look dead.
type watch map[string]sighting

// sighting is how a lease was first seen as it is.
type sighting struct {
	occupant
	since time.Time
}

// quiet looks at the occupants, and reports whether all of them are no more. It fails with ErrHeld or ErrShared if one has
// renewed its lease since the last look.
func (w watch) quiet(others []occupant) (quiet bool, err error) {
	now := time.Now()
	quiet = true
	for _, o := range others {
		last, known := w[o.lease]
		if !known || last.occupant != o {
			w[o.lease] = sighting{o, now}
			quiet = false
		} else if now.Sub(last.since) < o.term() {
			quiet = false
		}
		if known && last.holder == o.holder && last.until != o.until {
			err = o.refusal()
		}
	}
	return quiet, err
}

// seat is what a store has at the ledger: all of it, or a share.
type seat interface {
	// take tries to have it; ready is false while others have to be watched.
	take(ctx context.Context, w watch) (ready bool, err error)
	// keep renews the lease until stop is called.
	keep()
	// stop lets others have the ledger at once.
	stop()
	// tenure is what a new place to commit from belongs to, nil of a share. It fails with ErrHeld while there may be none.
	tenure() (*tenure, error)
	// admit makes sure that the tenure lasts until the transaction ends, in which a place to commit from is made.
	admit(tx *transaction, t *tenure) error
}

// occupy makes sure that the ledger is used by one node that has it to itself, or by nodes that share it. Who says nothing is
// waited for until its lease is over; beside one that lives, nobody starts: ErrHeld or ErrShared.
func (s *Store) occupy(ctx context.Context) error {
	if s.seat = newShare(s, s.opt.Node); s.opt.Sole {
		s.seat = newSole(s, s.opt.Node)
	}
	for w, told := (watch{}), false; ; told = true {
		ready, err := s.seat.take(ctx, w)
		switch {
		case err != nil:
			return fmt.Errorf("the lease of the ledger: %w", err)
		case ready:
			s.seat.keep()
			return nil
		case !told:
			s.log.Info("the ledger was not given up by who used it; it is waited for until their leases are over", "most", max(soleTerm, shareTerm))
		}
		select {
		case <-time.After(leaseLook):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lockSole locks the lease of who has the ledger to itself, and reads it.
func (tx *transaction) lockSole() (held occupant, err error) {
	var row tuples
	row.add(soleLease, "", int64(0))
	if err := tx.put(leases, &row, keep); err != nil {
		return held, err
	}
	held.lease = soleLease
	err = tx.query(func(rows scanner) error { return rows.Scan(&held.holder, number(&held.until)) },
		tx.dialect.bind("SELECT holder, until_at FROM yanlink_leases WHERE name = ? FOR UPDATE"), []byte(soleLease))
	return held, err
}

// holdSole notes who has the ledger to itself; an empty holder: nobody.
func (tx *transaction) holdSole(holder string) error {
	return tx.exec(tx.dialect.bind("UPDATE yanlink_leases SET holder = ? WHERE name = ?"), []byte(holder), []byte(soleLease))
}

// fence removes all places to commit from, and waits for what is under way there: no commit from one of them holds any more, even
// of a node that was frozen and knows nothing.
func (tx *transaction) fence() error { return tx.exec("DELETE FROM yanlink_writers") }

// renewed is until when a lease is renewed to. It differs from what it was in any case.
func (tx *transaction) renewed() string {
	return "GREATEST(until_at + 1, " + tx.dialect.now() + " + ?)"
}

// keeper renews a lease until it is stopped.
type keeper struct {
	end  context.CancelFunc
	done chan struct{}
}

func startKeeper(term time.Duration, renew func(ctx context.Context)) *keeper {
	ctx, end := context.WithCancel(context.Background())
	k := &keeper{end: end, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		ticker := time.NewTicker(term / leaseRenewals)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				try, cancel := context.WithTimeout(ctx, term/leaseTries)
				renew(try)
				cancel()
			}
		}
	}()
	return k
}

// stop waits for a renewal under way. Nil is a keeper that was not started.
func (k *keeper) stop() {
	if k != nil {
		k.end()
		<-k.done
	}
}
