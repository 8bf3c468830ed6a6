//go:build services

package sqlstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// alone are the options of a node that has the ledger to itself.
func alone(opt Options, name string) Options {
	opt.Node, opt.Sole = name, true
	return opt
}

// die has a node say nothing any more, as if it were killed or frozen.
func die(s *Store) {
	s.seat.(*sole).keeper.stop()
}

// A ledger that a node has to itself is no other node's while that one lives, and the next one's at once after its end.
func TestSole(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		first := mustOpen(t, alone(opt, "first"))
		mustCommit(t, first, &ws.PutUser{OpenID: "alice", At: 1})
		for _, other := range []Options{alone(opt, "second"), alone(opt, "first"), opt} {
			_, err := Open(t.Context(), other)
			require.ErrorIs(t, err, ErrHeld)
			require.ErrorContains(t, err, "first renews its lease")
		}
		mustCommit(t, first, &ws.PutUser{OpenID: "bob", At: 1})
		require.NoError(t, first.Close())

		began := time.Now()
		second := mustOpen(t, alone(opt, "second"))
		require.Less(t, time.Since(began), soleTerm, "it was given free")
		mustCommit(t, second, &ws.PutUser{OpenID: "carol", At: 1})
		require.NoError(t, second.Close())
		mustCommit(t, mustOpen(t, opt), &ws.PutUser{OpenID: "dave", At: 1})
		require.Equal(t, 4, mustHold(t, opt).Users)
	})
}

// A node that said nothing for too long has lost the ledger to the next one, writes nothing from then on, whether or not it
// knows, and has it again when that one is gone.
func TestSole_Lost(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		frozen := mustOpen(t, alone(opt, "frozen"))
		mustCommit(t, frozen, &ws.PutUser{OpenID: "alice", At: 1})
		die(frozen)
		w, err := frozen.takeWriter(t.Context()) // for a batch that is under way until after the loss
		require.NoError(t, err)
		underWay, err := frozen.begin(t.Context())
		require.NoError(t, err)
		defer func() { _ = underWay.Rollback() }()
		require.NoError(t, underWay.exec("UPDATE yanlink_users SET last_seen = 99"))

		began := time.Now()
		next := mustOpen(t, alone(opt, "next"))
		t.Logf("the next node has the ledger after %v", time.Since(began).Round(10*time.Millisecond))
		_, err = frozen.prepare(underWay, newPlan(nil), nil, w)
		require.ErrorIs(t, err, errNoWriter)
		require.NoError(t, underWay.Rollback())
		frozen.writers <- w.next()
		tenure := frozen.seat.(*sole).current.Load()
		for range 2 { // the first time it finds out
			err = frozen.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "mallory", At: 1}})
			require.ErrorIs(t, err, ws.ErrUnavailable)
			require.ErrorIs(t, err, ErrHeld)
		}
		frozen.seat.(*sole).current.Store(tenure) // as if it had not: it makes no new place to commit from either
		require.ErrorIs(t, frozen.enroll(t.Context(), newWriter(tenure)), ErrHeld)
		require.Nil(t, frozen.seat.(*sole).current.Load())
		mustCommit(t, next, &ws.PutUser{OpenID: "bob", At: 1})
		found, err := next.Users(t.Context(), []string{"alice", "bob", "mallory"})
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.NotEqual(t, ws.Millis(99), found[0].LastSeen)

		frozen.seat.(*sole).renew(t.Context())
		require.ErrorIs(t, frozen.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "mallory", At: 1}}), ErrHeld)
		require.NoError(t, next.Close())
		frozen.seat.(*sole).renew(t.Context())
		mustCommit(t, frozen, &ws.PutUser{OpenID: "carol", At: 1})
		mustHold(t, opt)
	})
}

// What a node that is lost had under way is waited for, and holds.
func TestSole_UnderWay(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		slow := mustOpen(t, alone(opt, "slow"))
		mustCommit(t, slow, &ws.PutUser{OpenID: "alice", At: 1})
		die(slow)
		w, err := slow.takeWriter(t.Context())
		require.NoError(t, err)
		underWay, err := slow.begin(t.Context())
		require.NoError(t, err)
		_, err = slow.prepare(underWay, newPlan(nil), nil, w)
		require.NoError(t, err)
		require.NoError(t, underWay.exec("UPDATE yanlink_users SET last_seen = 99"))
		w.batch++
		require.NoError(t, underWay.sign(w))
		committed, ctx := make(chan error, 1), t.Context()
		time.AfterFunc(soleTerm+time.Second, func() { committed <- underWay.Commit(ctx) })

		next := mustOpen(t, alone(opt, "next"))
		select {
		case err := <-committed:
			require.NoError(t, err)
		case <-time.After(300 * time.Millisecond): // its answer may be on its way, while it has ended already
			t.Fatal("the next node has the ledger while a commit of the one before is under way")
		}
		alice, err := next.User(t.Context(), "alice")
		require.NoError(t, err)
		require.Equal(t, ws.Millis(99), alice.LastSeen)
		slow.writers <- w.next()
	})
}
