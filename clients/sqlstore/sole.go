package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// ErrHeld says that another node has the ledger to itself.
var ErrHeld = errors.New("another node has the ledger to itself")

const (
	// soleLease is the name of the lease of a node that has the ledger to itself.
	soleLease = "ledger"
	// soleTerm is how long such a node may say nothing before another one may take its place, by the server's clock.
	soleTerm = 5 * time.Second
	// soleRenewals is how often it says something in that time.
	soleRenewals = 4
	// soleLook is how often a node that comes to start looks whether the lease has run out, or was taken again.
	soleLook = 200 * time.Millisecond
	// soleRelease is how long a node that ends waits for the server, to let the next one start at once.
	soleRelease = 2 * time.Second
)

// tenure is one node's time as the only one, from when it takes the lease until it stops or somebody else takes it.
type tenure struct {
	holder string // its name and, in hex, the beginning of the ids of its writers
	prefix []byte
}

func newTenure(name string) *tenure {
	prefix := make([]byte, writerPrefix)
	_, _ = rand.Read(prefix) // never fails
	return &tenure{holder: name + " " + hex.EncodeToString(prefix), prefix: prefix}
}

// sole keeps a ledger to one node. The lease only says who starts: what keeps two nodes from writing both are the rows of the
// writers, which each commit changes one of. Whoever takes the lease removes those of the holder before, and waits for its
// commits under way; after that, no commit of that one finds its row, even if it was frozen and knows nothing of it.
type sole struct {
	s       *Store
	name    string
	current atomic.Pointer[tenure] // nil: somebody else has taken the lease
	end     context.CancelFunc
	done    chan struct{}
}

// occupy takes the ledger for a node that wants it to itself, or makes sure that nobody else has it so. A holder that says
// nothing is waited for until its time is over; one that lives is refused to take the place of, with ErrHeld.
func (s *Store) occupy(ctx context.Context) error {
	attempt := s.lookForHolder
	if s.opt.Sole != "" {
		s.sole = &sole{s: s, name: s.opt.Sole, done: make(chan struct{})}
		attempt = s.sole.take
	}
	var first lease
	for {
		other, err := attempt(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("the lease of the ledger: %w", err)
		case other == nil:
			if s.sole != nil {
				s.sole.start()
			}
			return nil
		case first.holder == "":
			first = *other
			s.log.Info("another node had the ledger to itself; it is waited for until its lease runs out", "holder", nameOf(other.holder), "most", soleTerm)
		case first != *other:
			return fmt.Errorf("%w: %s renews its lease; stop it first, or let both be nodes of a cluster", ErrHeld, nameOf(other.holder))
		}
		select {
		case <-time.After(soleLook):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nameOf is what a holder calls itself.
func nameOf(holder string) string {
	name, _, _ := strings.Cut(holder, " ")
	return name
}

// lookForHolder returns who has the ledger to itself now; nil: nobody.
func (s *Store) lookForHolder(ctx context.Context) (held *lease, err error) {
	err = s.within(ctx, func(tx *transaction) error {
		held, err = nil, nil
		l, now, err := tx.readSole("")
		if l != nil && l.until > now {
			held = l
		}
		return err
	})
	return held, err
}

// readSole reads the lease, locked if asked for, and the server's clock.
func (tx *transaction) readSole(lock string) (l *lease, now ws.Millis, err error) {
	query := "SELECT holder, until_at, " + tx.dialect.now() + " FROM yanlink_leases WHERE name = ?" + lock
	err = tx.query(func(rows scanner) error {
		l = &lease{}
		return rows.Scan(&l.holder, number(&l.until), number(&now))
	}, tx.dialect.bind(query), []byte(soleLease))
	return l, now, err
}

const forUpdate = " FOR UPDATE"

// take begins a tenure, unless another one lasts, which it returns.
func (o *sole) take(ctx context.Context) (other *lease, err error) {
	t := newTenure(o.name)
	err = o.s.within(ctx, func(tx *transaction) error {
		other = nil
		last, now, err := tx.readSole(forUpdate)
		switch {
		case err != nil:
			return err
		case last == nil:
			var row tuples
			row.add(soleLease, t.holder, int64(0))
			if err := tx.put(leases, &row, fail); err != nil {
				return err
			}
		case last.until > now:
			other = last
			return nil
		default:
			if err := tx.fence(last.holder); err != nil {
				return err
			}
		}
		return tx.exec(tx.dialect.bind("UPDATE yanlink_leases SET holder = ?, until_at = "+tx.dialect.now()+" + ? WHERE name = ?"),
			[]byte(t.holder), soleTerm.Milliseconds(), []byte(soleLease))
	})
	if err == nil && other == nil {
		o.current.Store(t)
	}
	return other, err
}

// fence removes the writers of a holder that is no more. It waits for its commits under way.
func (tx *transaction) fence(holder string) error {
	_, digits, _ := strings.Cut(holder, " ")
	prefix, err := hex.DecodeString(digits)
	if err != nil || len(prefix) != writerPrefix {
		return fmt.Errorf("the holder of the ledger's lease is written as %q, which is not understood: %w", holder, err)
	}
	first, last := [16]byte{}, [16]byte{}
	for i := range last {
		last[i] = 0xff
	}
	copy(first[:], prefix)
	copy(last[:], prefix)
	return tx.exec(tx.dialect.bind("DELETE FROM yanlink_writers WHERE id >= ? AND id <= ?"), first[:], last[:])
}

// start keeps the lease until stop is called.
func (o *sole) start() {
	ctx, end := context.WithCancel(context.Background())
	o.end = end
	go o.keep(ctx)
}

func (o *sole) keep(ctx context.Context) {
	defer close(o.done)
	ticker := time.NewTicker(soleTerm / soleRenewals)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			try, cancel := context.WithTimeout(ctx, soleTerm)
			o.renew(try)
			cancel()
		}
	}
}

// renew says that the holder is there, or takes the lease again when whoever had it is gone.
func (o *sole) renew(ctx context.Context) {
	t := o.current.Load()
	if t == nil {
		if other, err := o.take(ctx); err == nil && other == nil {
			o.s.log.Info("this node has the ledger to itself again")
		}
		return
	}
	kept, err := o.set(ctx, t, o.s.dialect.now()+" + ?", soleTerm.Milliseconds())
	switch {
	case err != nil: // nobody else can take it either, unless this node alone is cut off
		o.s.log.Warn("the lease of the ledger was not renewed", "error", err)
	case !kept:
		o.lose(t)
	}
}

// set changes until when the tenure lasts; kept is false when it is over.
func (o *sole) set(ctx context.Context, t *tenure, until string, args ...any) (kept bool, err error) {
	query := o.s.dialect.bind("UPDATE yanlink_leases SET until_at = " + until + " WHERE name = ? AND holder = ?")
	err = o.s.within(ctx, func(tx *transaction) error {
		changed, err := tx.last(query, append(args, []byte(soleLease), []byte(t.holder))...)
		kept = changed == 1
		return err
	})
	return kept, err
}

// still makes sure that a tenure lasts, and that it does until the transaction ends.
func (o *sole) still(tx *transaction, t *tenure) error {
	l, _, err := tx.readSole(forUpdate)
	if err == nil && (l == nil || l.holder != t.holder) {
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

// stop lets another node start at once.
func (o *sole) stop() {
	if o.end == nil {
		return
	}
	o.end()
	<-o.done
	t := o.current.Load()
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), soleRelease)
	defer cancel()
	if _, err := o.set(ctx, t, "?", int64(0)); err != nil {
		o.s.log.Warn("the lease of the ledger was not given up; another node starts when it has run out", "error", err)
	}
}
