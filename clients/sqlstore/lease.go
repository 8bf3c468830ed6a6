package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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
	// does. Whoever comes, for the first time or again, has it locked.
	soleLease = "ledger"
	// shareLeases begins the names of the leases of nodes that share the ledger, and shareLeasesEnd is what all of them are below.
	shareLeases, shareLeasesEnd = "node ", "node!"

	// soleTerm and shareTerm are how long a lease may stay as it is until its node is taken to be no more.
	soleTerm, shareTerm = 5 * time.Second, 15 * time.Second
	// leaseRenewals is how often a node renews its lease in that time. One try takes half of it at most.
	leaseRenewals = 4
	// leaseLook is how often a node that comes to start looks at the leases of others.
	leaseLook = 200 * time.Millisecond
	// leaseGap is how long a look may take, and how long after the one before it may come, for the time to count.
	leaseGap = soleTerm / 2
	// leaseRelease is how long a node that ends waits for the server, to let the next one start at once.
	leaseRelease = 2 * time.Second
)

// occupant is a node that uses the ledger, as its lease says. A lease that was given up has no holder, or is gone.
type occupant struct {
	lease  string // its name
	holder string // the node, and what tells its starts apart
	until  ws.Millis
}

// newHolder returns how a node that starts writes itself into its lease, and the part of it that tells its starts apart.
func newHolder(node string) (holder, start string) {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	start = hex.EncodeToString(id)
	return node + " " + start, start
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
		return fmt.Errorf("%w: %s renews its lease; stop it or wait until it is through, or let both be nodes of a cluster", ErrHeld, o.node())
	}
	return fmt.Errorf("%w: %s renews its lease; stop them first, or let this be one of them: registry.driver and bus.driver as they have them",
		ErrShared, o.node())
}

// watch finds out which occupants are no more: those whose leases were not given up, and stay as they are for their term. The time
// is one's own, and counts only while one looks again and again and is answered: neither the server's clock, nor a server that nobody
// reached, makes a node that lives look dead.
type watch struct {
	gap      time.Duration // how long after one look the next may come
	seen     map[string]sighting
	answered time.Time // when the last look was
}

// sighting is how a lease was first seen as it is.
type sighting struct {
	occupant
	since time.Time
}

func newWatch(gap time.Duration) *watch { return &watch{gap: gap, seen: map[string]sighting{}} }

// look begins a look. What was seen is void after one that was not answered.
func (w *watch) look() (asked time.Time) {
	asked = time.Now()
	if asked.Sub(w.answered) > w.gap {
		clear(w.seen)
	}
	w.answered = time.Time{}
	return asked
}

// quiet takes the answer to a look, and reports whether all occupants are no more. It fails with ErrHeld or ErrShared if one has
// renewed its lease since the last look.
func (w *watch) quiet(asked time.Time, others []occupant) (quiet bool, err error) {
	w.answered = time.Now()
	if w.answered.Sub(asked) > leaseGap {
		clear(w.seen)
	}
	quiet = true
	for _, o := range others {
		last, known := w.seen[o.lease]
		if !known || last.occupant != o {
			w.seen[o.lease] = sighting{o, w.answered}
			quiet = false
		} else if asked.Sub(last.since) < o.term() {
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
	// take tries to have it; ready is false while others have to be watched. It fails with errOtherLedger if it is not the ledger
	// that was opened.
	take(ctx context.Context, w *watch) (ready bool, err error)
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
	for w, told := newWatch(leaseGap), false; ; {
		ready, err := s.seat.take(ctx, w)
		switch {
		case errors.Is(err, errOtherLedger): // of who was waited for
			if err := s.readLedger(ctx); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("the lease of the ledger: %w", err)
		case ready:
			s.seat.keep()
			return nil
		case !told:
			told = true
			s.log.Info("the ledger was not given up by who used it; it is waited for until their leases are over", "most", max(soleTerm, shareTerm))
		}
		select {
		case <-time.After(leaseLook):
		case <-ctx.Done():
			return fmt.Errorf("the leases of who used the ledger are not over yet: %w", ctx.Err())
		}
	}
}

// readSole reads the lease of who has the ledger to itself, and locks it for itself or with others who only read it.
func (tx *transaction) readSole(lock string) (held occupant, err error) {
	held.lease = soleLease
	err = tx.query(func(rows scanner) error { return rows.Scan(&held.holder, number(&held.until)) },
		tx.dialect.bind("SELECT holder, until_at FROM yanlink_leases WHERE name = ?"+lock), []byte(soleLease))
	return held, err
}

// lockSole is readSole for who comes, and makes the lease if there is none.
func (tx *transaction) lockSole() (held occupant, err error) {
	var row tuples
	row.add(soleLease, "", int64(0))
	if err := tx.put(leases, &row, keep); err != nil {
		return held, err
	}
	return tx.readSole(" FOR UPDATE")
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
				try, cancel := context.WithTimeout(ctx, term/2)
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
