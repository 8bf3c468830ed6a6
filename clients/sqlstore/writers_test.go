//go:build services

package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// A node that begins to write waits for no batch of another one, and removes what is left of those that are no more.
func TestStore_Enroll(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		busy, late := mustOpen(t, opt), mustOpen(t, opt)
		mustCommit(t, busy, &ws.PutUser{OpenID: "alice", At: 1})
		insert := busy.dialect.bind("INSERT INTO yanlink_writers (id, batch, used_at) VALUES (?, 1, ?)")
		_, err := busy.db.ExecContext(t.Context(), insert, []byte("no longer used.."), time.Now().Add(-writersUnused-time.Hour).UnixMilli())
		require.NoError(t, err)

		underWay, err := busy.begin(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, underWay.Rollback()) }()
		require.NoError(t, underWay.exec(busy.dialect.bind("UPDATE yanlink_writers SET batch = batch + 1 WHERE used_at > ?"), time.Now().Add(-time.Hour).UnixMilli()))
		require.NoError(t, underWay.answer())

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, late.Commit(ctx, []ws.Op{&ws.PutUser{OpenID: "bob", At: 1}}))
		var left int
		require.NoError(t, late.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM yanlink_writers").Scan(&left))
		require.Equal(t, 2, left, "those of the two stores")
	})
}

// A node whose place to commit from was removed takes no numbers either: they are those of whoever removed it.
func TestStore_FencedTakesNoNumbers(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		s := mustOpen(t, onePlace(t, driver, server))
		mustCommit(t, s, put("alice"), put("bob"))
		require.NoError(t, s.within(t.Context(), func(tx *transaction) error { return tx.fence() }))
		counters := func() (taken string) {
			require.NoError(t, s.query(t.Context(), func(rows scanner) error {
				var name, next []byte
				err := rows.Scan(&name, &next)
				taken += string(name) + "=" + string(next) + " "
				return err
			}, "SELECT name, next_id FROM yanlink_counters ORDER BY name"))
			return taken
		}
		before := counters()

		w := <-s.writers
		defer func() { s.writers <- w.next() }()
		p := newPlan(nil)
		p.reserve[directName("alice", "bob")] = true
		require.ErrorIs(t, s.reserve(t.Context(), p, w), errNoWriter)
		_, err := s.give(t.Context(), 1, w)
		require.ErrorIs(t, err, errNoWriter)
		require.Equal(t, before, counters())
	})
}
