//go:build services

package services

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var databases = []Kind{MariaDB, Postgres}

func mustQuery(t *testing.T, i Instance, statement string) string {
	t.Helper()
	answer, err := i.query(t.Context(), statement)
	require.NoError(t, err)
	return answer
}

func TestInstance_NewDatabase(t *testing.T) {
	for _, kind := range databases {
		t.Run(string(kind), func(t *testing.T) {
			shared := Shared(t, kind)
			var name string
			t.Run("during the test", func(t *testing.T) {
				name = shared.NewDatabase(t)
				require.NotEqual(t, name, shared.NewDatabase(t))
				require.Contains(t, shared.DSN(name), "@")
				require.Contains(t, shared.DSN(name), "/"+name+"?")
				_, err := shared.query(t.Context(), "CREATE DATABASE "+name)
				require.ErrorContains(t, err, "exists")
			})
			mustQuery(t, shared, "CREATE DATABASE "+name) // fails if it was not dropped
			mustQuery(t, shared, "DROP DATABASE "+name)
		})
	}
}

// What was committed is there after a kill, and the settings say the same of a power cut.
func TestServer_Durability(t *testing.T) {
	settings := map[Kind]string{
		MariaDB: "SELECT CONCAT_WS(' ', @@innodb_flush_log_at_trx_commit, @@innodb_doublewrite, @@log_bin," +
			" @@character_set_server, @@max_connections)",
		Postgres: "SELECT CONCAT_WS(' ', current_setting('fsync'), current_setting('synchronous_commit')," +
			" current_setting('full_page_writes'), current_setting('server_encoding'), current_setting('max_connections'))",
	}
	promised := map[Kind]string{MariaDB: "1 ON OFF utf8mb4 200", Postgres: "on on on UTF8 200"}
	for _, kind := range databases {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := MustStart(t, Spec{Kind: kind})
			require.Equal(t, promised[kind], mustQuery(t, s.Instance, settings[kind]))
			mustQuery(t, s.Instance, "CREATE TABLE kept (id INT PRIMARY KEY)")
			mustQuery(t, s.Instance, "INSERT INTO kept VALUES (7)")
			require.NoError(t, s.Kill())
			require.NoError(t, s.Restart(t.Context()))
			require.Equal(t, "7", mustQuery(t, s.Instance, "SELECT id FROM kept"))
		})
	}
}
