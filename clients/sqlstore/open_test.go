//go:build services

package sqlstore

import (
	"context"
	"database/sql"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// execute runs a statement in the database that opt names.
func execute(tb testing.TB, opt Options, statement string) {
	tb.Helper()
	s, err := connect(tb.Context(), opt)
	require.NoError(tb, err)
	_, err = s.db.ExecContext(tb.Context(), statement)
	require.NoError(tb, err)
	require.NoError(tb, s.Close())
}

func TestOpen(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		t.Run("OK", func(t *testing.T) {
			opt := fresh(t, driver, server)
			s := mustOpen(t, opt)
			require.Equal(t, ws.LedgerInfo{Format: format, Epoch: 1}, s.Info())
			mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})
			require.NoError(t, s.Close())
			again := mustOpen(t, opt)
			_, err := again.User(t.Context(), "alice")
			require.NoError(t, err)
		})
		t.Run("DB", func(t *testing.T) {
			opt := fresh(t, driver, server)
			s, err := connect(t.Context(), opt)
			require.NoError(t, err)
			db := s.db
			t.Cleanup(func() { _ = db.Close() })
			given := mustOpen(t, Options{Driver: driver, DB: db})
			mustCommit(t, given, &ws.PutUser{OpenID: "alice", At: 1})
			require.NoError(t, given.Close())
			require.NoError(t, db.PingContext(t.Context()), "whoever opened it closes it")
		})
		t.Run("TwoNodesAtOnce", func(t *testing.T) {
			opt := fresh(t, driver, server)
			openAtOnce(t, opt)
			mustHold(t, opt)
		})
		t.Run("CutShort", func(t *testing.T) {
			// A migration that was cut short goes on where it was.
			opt := fresh(t, driver, server)
			execute(t, opt, "CREATE TABLE yanlink_counters (name "+map[string]string{"mysql": "VARBINARY(32)", "postgres": "bytea"}[driver]+
				" NOT NULL, next_id bigint NOT NULL, PRIMARY KEY (name))")
			mustCommit(t, mustOpen(t, opt), &ws.PutUser{OpenID: "alice", At: 1})
			secret := mustOpen(t, opt).Secret()
			execute(t, opt, "UPDATE yanlink_ledger SET format = 1") // the others were, right before they could note that they were done
			again := mustOpen(t, opt)
			require.Equal(t, uint32(format), again.Info().Format)
			require.Equal(t, secret, again.Secret(), "it was made anew")
		})
		t.Run("ErrSecret", func(t *testing.T) {
			opt := fresh(t, driver, server)
			require.NoError(t, mustOpen(t, opt).Close())
			for _, wrong := range []string{"NULL", "'short'"} {
				execute(t, opt, "UPDATE yanlink_ledger SET secret = "+wrong)
				_, err := Open(t.Context(), opt)
				require.ErrorContains(t, err, "put 32 random bytes there", wrong)
			}
		})
		t.Run("OlderFormat", func(t *testing.T) {
			opt := fresh(t, driver, server)
			s := mustOpen(t, opt)
			mustCommit(t, s, &ws.PutUser{OpenID: "alice", At: 1})
			require.NoError(t, s.Close())
			execute(t, opt, "ALTER TABLE yanlink_members DROP COLUMN read_at")
			execute(t, opt, "ALTER TABLE yanlink_ledger DROP COLUMN secret")
			execute(t, opt, "UPDATE yanlink_ledger SET format = 1")
			openAtOnce(t, opt)
			stays, err := mustOpen(t, opt).Stays(t.Context(), ws.SystemConversation, "alice")
			require.NoError(t, err)
			require.Equal(t, []ws.Stay{{Conversation: ws.SystemConversation, User: "alice", Joined: 1}}, stays)
		})
		t.Run("ErrNotMigrated", func(t *testing.T) {
			opt := fresh(t, driver, server)
			opt.NoMigrate = true
			_, err := Open(t.Context(), opt)
			require.ErrorIs(t, err, ErrNotMigrated)
			require.ErrorContains(t, err, "run yanlink migrate")
			info, err := Migrate(t.Context(), opt)
			require.NoError(t, err)
			require.Equal(t, ws.LedgerInfo{Format: format, Epoch: 1}, info)
			mustOpen(t, opt)
		})
		t.Run("ErrNewerFormat", func(t *testing.T) {
			opt := fresh(t, driver, server)
			_, err := Migrate(t.Context(), opt)
			require.NoError(t, err)
			execute(t, opt, "UPDATE yanlink_ledger SET format = 99")
			_, err = Open(t.Context(), opt)
			require.ErrorIs(t, err, ErrNewerFormat)
			_, err = Migrate(t.Context(), opt)
			require.ErrorIs(t, err, ErrNewerFormat)
		})
		t.Run("ErrDSN", func(t *testing.T) {
			_, err := Open(t.Context(), Options{Driver: driver, DSN: "postgres://:nonsense:/@("})
			require.ErrorContains(t, err, "data source name")
		})
		t.Run("ErrUnreachable", func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := Open(ctx, Options{Driver: driver, DSN: strings.Replace(server.DSN("x"), server.Addr, unusedAddr(t), 1)})
			require.ErrorIs(t, err, ws.ErrUnavailable)
			require.ErrorContains(t, err, "cannot be reached")
		})
	})
	t.Run("ErrDriver", func(t *testing.T) {
		_, err := Open(t.Context(), Options{Driver: "oracle"})
		require.ErrorContains(t, err, "use mysql or postgres")
	})
}

// openAtOnce opens a ledger at several nodes at the same time, which have to agree.
func openAtOnce(t *testing.T, opt Options) {
	var wg sync.WaitGroup
	opened := make([]*Store, 4)
	for i := range opened {
		wg.Go(func() {
			s, err := Open(t.Context(), opt)
			if err != nil {
				t.Error(err)
				return
			}
			opened[i] = s
			_ = s.Close()
		})
	}
	wg.Wait()
	for _, s := range opened {
		require.NotNil(t, s)
		require.Equal(t, uint32(format), s.Info().Format)
		require.Equal(t, s.Secret(), opened[0].Secret(), "two nodes have two secrets")
	}
}

// unusedAddr is an address at which nothing listens.
func unusedAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// unsafeSettings are statements that let a server lose what it has committed, or forbid to write to it, by driver; the
// session ones last as long as the connection, which is the only one.
func TestOpen_ErrUnsafe(t *testing.T) {
	for _, test := range []struct {
		kind                services.Kind
		driver              string
		set, undo, complain string
	}{
		{services.MariaDB, "mysql", "SET GLOBAL innodb_flush_log_at_trx_commit = 2", "SET GLOBAL innodb_flush_log_at_trx_commit = 1", "innodb_flush_log_at_trx_commit is 2"},
		{services.MariaDB, "mysql", "SET SESSION sql_mode = ''", "", "sql_mode"},
		{services.Postgres, "postgres", "SET synchronous_commit = off", "", "synchronous_commit is off"},
	} {
		t.Run(test.complain, func(t *testing.T) {
			t.Parallel()
			server := services.MustStart(t, services.Spec{Kind: test.kind, Dir: t.TempDir()})
			db := oneConn(t, fresh(t, test.driver, server.Instance))
			_, err := db.ExecContext(t.Context(), test.set)
			require.NoError(t, err)
			_, err = Open(t.Context(), Options{Driver: test.driver, DB: db})
			require.ErrorIs(t, err, ErrUnsafe)
			require.ErrorContains(t, err, test.complain)
			s, err := Open(t.Context(), Options{Driver: test.driver, DB: db, AllowUnsafe: true})
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
	}
}

func TestOpen_ErrReadOnly(t *testing.T) {
	for _, test := range []struct {
		kind        services.Kind
		driver, set string
	}{
		{services.MariaDB, "mysql", "SET GLOBAL read_only = 1"},
		{services.Postgres, "postgres", "SET default_transaction_read_only = on"},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			t.Parallel()
			server := services.MustStart(t, services.Spec{Kind: test.kind, Dir: t.TempDir()})
			db := oneConn(t, fresh(t, test.driver, server.Instance))
			if _, err := db.ExecContext(t.Context(), test.set); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), Options{Driver: test.driver, DB: db})
			require.ErrorIs(t, err, ErrReadOnly)
		})
	}
}

// oneConn opens a database with one connection, so that what is set in a session stays.
func oneConn(t *testing.T, opt Options) *sql.DB {
	opt.defaults()
	d, err := dialectOf(opt.Driver, true)
	require.NoError(t, err)
	db, err := d.open(&opt)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
