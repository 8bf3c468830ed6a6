//go:build services

package sqlstore

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// sharing are the options of a node that shares the ledger.
func sharing(opt Options, name string) Options {
	opt.Node = name
	return opt
}

// onePlace are the options of a fresh ledger for stores that commit from one place each: what is taken from them is what they had.
func onePlace(t *testing.T, driver string, server services.Instance) Options {
	opt := fresh(t, driver, server)
	opt.MaxConns = 2
	return opt
}

// fall has a node that shares the ledger say nothing any more, as if it were killed or frozen.
func fall(s *Store) { s.seat.(*share).keeper.stop() }

// places returns the ids of all places to commit from.
func places(t *testing.T, s *Store) (ids []string) {
	t.Helper()
	require.NoError(t, s.query(t.Context(), func(rows scanner) error {
		var id []byte
		err := rows.Scan(&id)
		ids = append(ids, string(id))
		return err
	}, "SELECT id FROM yanlink_writers ORDER BY id"))
	return ids
}

// leasesThere returns the leases of nodes that share the ledger.
func leasesThere(t *testing.T, s *Store) (list []occupant) {
	t.Helper()
	require.NoError(t, s.within(t.Context(), func(tx *transaction) (err error) {
		list, err = tx.sharers()
		return err
	}))
	return list
}

func put(user string) *ws.PutUser { return &ws.PutUser{OpenID: user, At: 1} }

// Nodes that share a ledger start beside each other, and keep away whoever wants it to itself, without noticing; that one keeps
// them away too.
func TestShare(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		first, second := mustOpen(t, sharing(opt, "first")), mustOpen(t, sharing(opt, "second"))
		mustCommit(t, first, put("alice"))
		mustCommit(t, second, put("bob"))
		before := places(t, first)
		require.Len(t, before, 2)
		_, err := Open(t.Context(), alone(opt, "other"))
		require.ErrorIs(t, err, ErrShared)
		require.Regexp(t, "(first|second) renews its lease", err.Error())
		_, err = NewEpoch(t.Context(), opt)
		require.ErrorIs(t, err, ErrShared)
		require.Equal(t, before, places(t, first))

		require.NoError(t, second.Close())
		_, err = Open(t.Context(), alone(opt, "other"))
		require.ErrorIs(t, err, ErrShared)
		require.NoError(t, first.Close())
		began := time.Now()
		sole := mustOpen(t, alone(opt, "other"))
		require.Less(t, time.Since(began), soleTerm, "it was given free")
		_, err = Open(t.Context(), sharing(opt, "third"))
		require.ErrorIs(t, err, ErrHeld)
		mustCommit(t, sole, put("carol"))
		require.NoError(t, sole.Close())
		began = time.Now()
		mustCommit(t, mustOpen(t, alone(opt, "last")), put("dave"))
		require.Less(t, time.Since(began), soleTerm, "the third left nothing behind")
		require.Equal(t, 4, mustHold(t, opt).Users)
	})
}

// A node that shared the ledger and said nothing for too long writes nothing while another one has it to itself, whether or not
// it knows. It goes on when that one has ended, and when that one says nothing for too long, which then writes nothing either.
func TestShare_Lost(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		frozen := mustOpen(t, sharing(opt, "frozen"))
		mustCommit(t, frozen, put("alice"))
		fall(frozen)

		next := mustOpen(t, alone(opt, "next"))
		mallory := []ws.Op{put("mallory")}
		for range 2 {
			err := frozen.Commit(t.Context(), mallory)
			require.ErrorIs(t, err, ws.ErrUnavailable)
			require.ErrorIs(t, err, ErrHeld)
			frozen.seat.(*share).renew(t.Context())
		}
		mustCommit(t, next, put("bob"))
		require.Empty(t, leasesThere(t, next))
		require.NoError(t, next.Close())
		mustCommit(t, frozen, put("carol"))
		require.Len(t, leasesThere(t, frozen), 1, "it is there again")

		fall(frozen)
		next = mustOpen(t, alone(opt, "next"))
		mustCommit(t, next, put("dave"))
		die(next)
		require.ErrorIs(t, frozen.Commit(t.Context(), mallory), ErrHeld)
		require.Eventually(t, func() bool {
			frozen.seat.(*share).renew(t.Context())
			return frozen.Commit(t.Context(), []ws.Op{put("erin")}) == nil
		}, 10*soleTerm, leaseLook)
		require.ErrorIs(t, next.Commit(t.Context(), mallory), ErrHeld)
		next.seat.(*sole).renew(t.Context())
		require.ErrorIs(t, next.Commit(t.Context(), mallory), ErrHeld)
		require.Equal(t, 5, mustHold(t, opt).Users)
	})
}

// A node that had the ledger to itself and said nothing for too long has lost it to those that came to share it.
func TestShare_AfterSole(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		frozen := mustOpen(t, alone(opt, "frozen"))
		mustCommit(t, frozen, put("alice"))
		die(frozen)

		next := mustOpen(t, sharing(opt, "next"))
		mallory := []ws.Op{put("mallory")}
		require.ErrorIs(t, frozen.Commit(t.Context(), mallory), ErrHeld)
		frozen.seat.(*sole).renew(t.Context())
		require.ErrorIs(t, frozen.Commit(t.Context(), mallory), ErrHeld)
		mustCommit(t, next, put("bob"))
		require.NoError(t, next.Close())

		frozen.seat.(*sole).renew(t.Context())
		mustCommit(t, frozen, put("carol"))
		require.Equal(t, 3, mustHold(t, opt).Users)
	})
}

// The lease of a node that shares the ledger is renewed as long as the node lives, and made anew if somebody has removed it.
// What nodes left long ago that were killed is removed.
func TestShare_Renewal(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		s := mustOpen(t, sharing(opt, "node"))
		before := leasesThere(t, s)
		require.Len(t, before, 1)
		require.Equal(t, "node", before[0].node())
		for now := before; now[0].until == before[0].until; now = leasesThere(t, s) {
			require.Len(t, now, 1)
			time.Sleep(leaseLook)
		}
		fall(s)
		insert := "INSERT INTO yanlink_leases (name, holder, until_at) VALUES (?, ?, ?)"
		_, err := s.db.ExecContext(t.Context(), s.dialect.bind(insert), []byte(shareLeases+"0"), []byte("old 0"), 1)
		require.NoError(t, err)
		_, err = s.db.ExecContext(t.Context(), s.dialect.bind("DELETE FROM yanlink_leases WHERE name = ?"), []byte(before[0].lease))
		require.NoError(t, err)
		s.seat.(*share).renew(t.Context())
		again := leasesThere(t, s)
		require.Len(t, again, 1)
		require.Equal(t, before[0].holder, again[0].holder)
	})
}

// A node that waits for the ledger while it begins a new epoch serves that one, and one that slept through it writes nothing.
func TestShare_NewEpoch(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		asleep := mustOpen(t, sharing(opt, "asleep"))
		mustCommit(t, asleep, put("alice"))
		fall(asleep)
		epoch := asleep.Info().Epoch

		command := mustOpen(t, alone(opt, "new-epoch"))
		die(command) // who waits would be refused if it saw a renewal
		waiting, failed, waits := make(chan *Store, 1), make(chan error, 1), make(told, 1)
		go func() {
			opt := sharing(opt, "waiting")
			opt.Log = slog.New(slog.NewTextHandler(waits, nil))
			s, err := Open(t.Context(), opt)
			failed <- err
			waiting <- s
		}()
		<-waits
		require.NoError(t, command.newEpoch(t.Context()))
		require.NoError(t, command.Close())
		require.NoError(t, <-failed)
		s := <-waiting
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		require.Equal(t, epoch+1, s.Info().Epoch)
		mustCommit(t, s, put("bob"))
		for range 2 {
			err := asleep.Commit(t.Context(), []ws.Op{put("mallory")})
			require.ErrorIs(t, err, ws.ErrUnavailable)
			require.ErrorIs(t, err, errOtherLedger)
			asleep.seat.(*share).renew(t.Context())
			require.Len(t, leasesThere(t, s), 1, "it is no node of this ledger")
		}
	})
}

// told says that something was logged.
type told chan struct{}

func (c told) Write(line []byte) (int, error) {
	select {
	case c <- struct{}{}:
	default:
	}
	return len(line), nil
}

// A new epoch does not begin if the ledger was lost meanwhile.
func TestNewEpoch_Lost(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		command := mustOpen(t, alone(opt, "new-epoch"))
		epoch := command.Info().Epoch
		die(command)
		next := mustOpen(t, sharing(opt, "next"))
		require.ErrorIs(t, command.newEpoch(t.Context()), ErrHeld)
		info, err := next.inform(t.Context(), next.db)
		require.NoError(t, err)
		require.Equal(t, epoch, info.Epoch)
	})
}

// An import leaves the tables of an older program as they are, whose nodes may use them.
func TestImport_Older(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		s := mustOpen(t, sharing(opt, "older"))
		execute(t, opt, "UPDATE yanlink_ledger SET format = 2")
		_, err := NewImporter(t.Context(), opt)
		require.ErrorIs(t, err, ErrNotEmpty)
		require.ErrorContains(t, err, "tables of format 2")
		info, err := s.inform(t.Context(), s.db)
		require.NoError(t, err)
		require.EqualValues(t, 2, info.Format)
	})
}

// An import that has lost the ledger leaves it alone, and a node that was there before an import writes nothing into it.
func TestImport_Lost(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		before := mustOpen(t, sharing(opt, "before"))
		fall(before)
		importer, err := NewImporter(t.Context(), opt)
		require.NoError(t, err)
		defer func() { require.NoError(t, importer.Close()) }()
		die(importer.s)
		require.NoError(t, importer.s.within(t.Context(), func(tx *transaction) error { return tx.holdSole("") })) // as when another one came and went
		require.ErrorIs(t, before.Commit(t.Context(), []ws.Op{put("mallory")}), errOtherLedger)
		require.ErrorIs(t, importer.begin(t.Context()), ErrHeld)
	})
}
