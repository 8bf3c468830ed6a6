//go:build services

package sqlstore

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// others are the connections to a MariaDB database besides the one that asks.
const others = " FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"

// A batch does not notice that the server has closed the connections which nobody used.
func TestSpoken_IdleConnectionsClosed(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		s, other := mustOpen(t, opt), mustOpen(t, opt)
		if !s.dialect.joins() {
			return // its transactions are database/sql's own
		}
		other.db.SetMaxOpenConns(1)
		mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})
		require.Positive(t, s.db.Stats().Idle)
		var ids []int64
		rows, err := other.db.QueryContext(t.Context(), "SELECT id"+others)
		require.NoError(t, each(rows, err, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}))
		require.NotEmpty(t, ids)
		for _, id := range ids {
			_, err := other.db.ExecContext(t.Context(), "KILL ?", id)
			require.NoError(t, err)
		}
		require.Eventually(t, func() bool {
			var left int
			return other.db.QueryRowContext(t.Context(), "SELECT COUNT(*)"+others).Scan(&left) == nil && left == 0
		}, 10*time.Second, 10*time.Millisecond)
		mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1})
		require.Zero(t, s.db.Stats().InUse)
	})
}

// What could not be committed leaves nothing behind on its connection, for the next one that gets it.
func TestTransaction_LeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		s := mustOpen(t, fresh(t, driver, server))
		s.db.SetMaxOpenConns(1)
		mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})
		for name, end := range map[string]func(t *testing.T, tx *transaction, cancel func()){
			"rolled back": func(t *testing.T, tx *transaction, _ func()) { require.NoError(t, tx.Rollback()) },
			"failed": func(t *testing.T, tx *transaction, _ func()) {
				_ = tx.exec("INSERT INTO yanlink_users SELECT * FROM yanlink_users") // a queued one fails with the commit
				require.Error(t, tx.Commit())
			},
			"out of time": func(t *testing.T, tx *transaction, cancel func()) {
				cancel()
				require.Error(t, tx.query(nil, "SELECT 1"))
				_ = tx.Rollback()
			},
		} {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tx, err := s.begin(ctx)
				require.NoError(t, err)
				require.NoError(t, tx.exec("UPDATE yanlink_users SET last_seen = 99"))
				require.NoError(t, tx.flush(ctx))
				end(t, tx, cancel)
				mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1})
				alice, err := s.User(t.Context(), "alice")
				require.NoError(t, err)
				require.NotEqual(t, ws.Millis(99), alice.LastSeen)
				require.Zero(t, s.db.Stats().InUse)
			})
		}
	})
}
