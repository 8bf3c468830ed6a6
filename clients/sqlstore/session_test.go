//go:build services

package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// others are the connections to a database besides the one that asks, and closing is what closes them.
var others, closing = map[string]string{
	"mysql":    " FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
	"postgres": " FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()",
}, map[string]string{"mysql": "KILL ?", "postgres": "SELECT pg_terminate_backend($1)"}

// A batch does not notice that the server has closed the connections which nobody used.
func TestSpoken_IdleConnectionsClosed(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		s, other := mustOpen(t, opt), mustOpen(t, opt)
		other.db.SetMaxOpenConns(1)
		mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})
		require.Positive(t, s.db.Stats().Idle)
		closeOthers(t, other, driver)
		mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1})
		require.Zero(t, s.db.Stats().InUse)
		closeOthers(t, other, driver)
		time.Sleep(restedFor + 100*time.Millisecond)
		_, err := s.User(t.Context(), "bob")
		require.NoError(t, err)
	})
}

func closeOthers(t *testing.T, s *Store, driver string) {
	t.Helper()
	id := map[string]string{"mysql": "id", "postgres": "pid"}[driver]
	var ids []int64
	rows, err := s.db.QueryContext(t.Context(), "SELECT "+id+others[driver])
	require.NoError(t, each(rows, err, func(rows scanner) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}))
	require.NotEmpty(t, ids)
	for _, id := range ids {
		_, err := s.db.ExecContext(t.Context(), closing[driver], id)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		var left int
		return s.db.QueryRowContext(t.Context(), "SELECT COUNT(*)"+others[driver]).Scan(&left) == nil && left == 0
	}, 10*time.Second, 10*time.Millisecond)
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
				require.Error(t, tx.Commit(t.Context()))
			},
			"out of time": func(t *testing.T, tx *transaction, cancel func()) {
				cancel()
				require.Error(t, tx.query(func(scanner) error { return nil }, "SELECT 1"))
				_ = tx.Rollback()
			},
		} {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tx, err := s.begin(ctx)
				require.NoError(t, err)
				require.NoError(t, tx.exec("UPDATE yanlink_users SET last_seen = 99"))
				require.NoError(t, tx.answer())
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

// A server that became read only refuses a batch at once, and is not connected to again and again.
func TestSpoken_ReadOnly(t *testing.T) {
	server := services.MustStart(t, services.Spec{Kind: services.MariaDB, Dir: t.TempDir()})
	opt := fresh(t, "mysql", server.Instance)
	operator := mustOpen(t, opt)
	run := func(statements ...string) {
		for _, statement := range statements {
			_, err := operator.db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
	connects := func() (n int) {
		var name string
		require.NoError(t, operator.db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Connections'").Scan(&name, &n))
		return n
	}
	dsn, err := mysql.ParseDSN(opt.DSN)
	require.NoError(t, err)
	dsn.User, dsn.Passwd = "app", "app" // root may write nonetheless
	run("CREATE USER app@'%' IDENTIFIED BY 'app'", "GRANT ALL ON "+dsn.DBName+".* TO app@'%'")
	s := mustOpen(t, Options{Driver: "mysql", DSN: dsn.FormatDSN()})
	mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})

	run("SET GLOBAL read_only = 1")
	before := connects()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.ErrorIs(t, s.Commit(ctx, []ws.Op{&ws.PutUser{OpenID: "bob", At: 1}}), ws.ErrUnavailable)
	require.Error(t, s.within(ctx, func(tx *transaction) error { return tx.exec("UPDATE yanlink_users SET last_seen = 1") }))
	require.NoError(t, ctx.Err())
	require.Less(t, connects()-before, 10)
	require.Zero(t, s.db.Stats().InUse)
	run("SET GLOBAL read_only = 0")
	mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1})
}

// A connection to a server that became read only is not kept: the next one may be to another server.
func TestSpoken_ReadOnlyConnection(t *testing.T) {
	opt := fresh(t, "postgres", services.Shared(t, services.Postgres))
	opt.MaxConns = 1 // with one writer, which is enrolled then
	s := mustOpen(t, opt)
	mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})
	_, err := s.db.ExecContext(t.Context(), "SET default_transaction_read_only = on")
	require.NoError(t, err)
	mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1})
	var readOnly string
	require.NoError(t, s.db.QueryRowContext(t.Context(), "SHOW default_transaction_read_only").Scan(&readOnly))
	require.Equal(t, "off", readOnly)
}

// What a batch has read under locks that are gone with its connection counts no more, and is not mixed with what is read later.
func TestSpoken_ConnectionLostWhileReading(t *testing.T) {
	waiting := map[string]string{"mysql": " AND info LIKE '%FOR UPDATE%'", "postgres": " AND wait_event_type = 'Lock'"}
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		s, other := mustOpen(t, opt), mustOpen(t, opt)
		mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1})
		holder, err := other.begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, holder.exec("UPDATE yanlink_users SET last_seen = 2"))
		require.NoError(t, holder.answer())
		refused := make(chan error, 1)
		go func() { refused <- s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "bob", Name: "Bob", At: 3}}) }()
		id := map[string]string{"mysql": "id", "postgres": "pid"}[driver]
		var lost int64
		require.Eventually(t, func() bool {
			return other.db.QueryRowContext(t.Context(), "SELECT "+id+others[driver]+waiting[driver]).Scan(&lost) == nil
		}, 10*time.Second, 10*time.Millisecond)
		_, err = other.db.ExecContext(t.Context(), closing[driver], lost)
		require.NoError(t, err)
		require.ErrorIs(t, <-refused, ws.ErrUnavailable)
		require.NoError(t, holder.Rollback())
		mustCommit(t, s, &ws.PutUser{OpenID: "bob", Name: "Bob", At: 3})
	})
}

// A batch that panics takes nothing with it: the committer goes on.
func TestStore_Panic(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		s := mustOpen(t, fresh(t, driver, server))
		s.db.SetMaxOpenConns(1)
		send := &ws.Send{To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", Body: "hello", CreatedAt: 1}}
		mustCommit(t, s, send)
		broken := *send
		broken.Events = func(*ws.Send) []ws.Event { panic("broken") }
		require.Panics(t, func() { _ = s.Commit(t.Context(), []ws.Op{&broken}) })
		require.Panics(t, func() {
			_ = s.within(t.Context(), func(tx *transaction) error {
				return tx.query(func(scanner) error { panic("broken") }, "SELECT openid FROM yanlink_users FOR UPDATE")
			})
		})
		require.Zero(t, s.db.Stats().InUse)
		mustCommit(t, s, send)
	})
}

// PostgreSQL answers the COMMIT of a transaction in which something had failed with a ROLLBACK, and with no error.
func TestTransaction_CommitOfFailed(t *testing.T) {
	s := mustOpen(t, fresh(t, "postgres", services.Shared(t, services.Postgres)))
	tx, err := s.begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.answer())
	_, err = tx.run(t.Context(), []statement{{query: "SELECT 1/0"}}) // which the transaction does not hear of
	require.Error(t, err)
	require.ErrorIs(t, tx.Commit(t.Context()), errNotCommitted)
}
