//go:build services

package app

import (
	"bytes"
	"context"
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/clients/sqlstore"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

var databases = map[string]services.Kind{"mysql": services.MariaDB, "postgres": services.Postgres}

func emptyDatabase(t *testing.T, driver string) *configs.Config {
	server := services.Shared(t, databases[driver])
	cfg := configs.Default()
	cfg.Store.Driver, cfg.Store.DSN = driver, server.DSN(server.NewDatabase(t))
	return cfg
}

// moved is at which opening a ledger of the random test is moved: in the midst of it.
const moved = 3

// Whatever was done before a ledger moved can be read after it as before, and goes on.
func TestImport(t *testing.T) {
	require.NoError(t, flag.Set("wstest.runs", "1"))
	for driver := range databases {
		t.Run(driver, func(t *testing.T) {
			wstest.StoreReopened(t, func(t *testing.T) func() ws.Store {
				cfg, dir, opened := emptyDatabase(t, driver), t.TempDir(), 0
				t.Cleanup(func() { require.GreaterOrEqual(t, opened, moved, "it never came to a move") })
				return func() ws.Store {
					opened++
					if opened < moved {
						s, err := pebblestore.Open(t.Context(), pebblestore.Options{Dir: dir})
						require.NoError(t, err)
						return s
					}
					if opened == moved {
						move(t, dir, cfg)
					}
					s, err := sqlstore.Open(t.Context(), commandSQL(cfg))
					require.NoError(t, err)
					return s
				}
			})
		})
	}
}

// move moves the ledger in dir into a database, and compares what checks of the two say.
func move(t *testing.T, dir string, cfg *configs.Config) {
	var export, told bytes.Buffer
	require.NoError(t, Export(t.Context(), dir, &export, &told))
	require.NoError(t, Import(t.Context(), cfg, &export, &told))
	require.Regexp(t, `^\d+ records exported\n\d+ records imported and read back\n$`, told.String())
	var before, after strings.Builder
	wrong, err := CheckStore(t.Context(), dir, &before)
	require.NoError(t, err)
	stillWrong, err := CheckLedger(t.Context(), cfg, &after)
	require.NoError(t, err)
	require.Equal(t, wrong == 0, stillWrong == 0, "random acknowledgements are not all sensible:\n%s%s", &before, &after)
	require.Equal(t, lastLine(before.String()), lastLine(after.String()))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// requireTokens wants a token to be known, and what was revoked to be revoked still.
func requireTokens(t *testing.T, cfg *configs.Config, token ws.Token) {
	s, err := sqlstore.Open(t.Context(), commandSQL(cfg))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	known, _, err := s.Token(t.Context(), token.Hash)
	require.NoError(t, err)
	require.Equal(t, token, known)
	old := &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{8}, OpenID: "jack", ExpiresAt: 900}, IssuedAt: 499, At: 600}
	require.NoError(t, s.Commit(t.Context(), []ws.Op{old}))
	require.ErrorIs(t, old.Err, protocol.NewError(protocol.Unauthorized, ""))
}

func TestImport_Ends(t *testing.T) {
	dir := t.TempDir()
	s, err := pebblestore.Open(t.Context(), pebblestore.Options{Dir: dir})
	require.NoError(t, err)
	token := ws.Token{Hash: [32]byte{7}, OpenID: "rose", ExpiresAt: 900}
	require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.AcceptToken{Token: token, At: 1}, &ws.PutUser{OpenID: "jack", At: 1}}))
	require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.RevokeTokens{OpenID: "jack", At: 500}}))
	require.NoError(t, s.Close())
	var export bytes.Buffer
	require.NoError(t, Export(t.Context(), dir, &export, io.Discard))
	whole := export.Bytes()
	take := func(cfg *configs.Config, from []byte) error {
		return Import(t.Context(), cfg, bytes.NewReader(from), io.Discard)
	}
	for driver := range databases {
		t.Run(driver, func(t *testing.T) {
			cfg := emptyDatabase(t, driver)
			require.ErrorContains(t, take(cfg, []byte("what is this")), "no export")
			require.NoError(t, take(cfg, whole), "nothing was written")
			requireTokens(t, cfg, token)
			require.ErrorIs(t, take(cfg, whole), sqlstore.ErrNotEmpty)

			cut := emptyDatabase(t, driver)
			require.ErrorContains(t, take(cut, whole[:len(whole)-5]), "the export has no end")
			require.ErrorIs(t, take(cut, whole), sqlstore.ErrImporting)
			_, err := sqlstore.Open(context.Background(), commandSQL(cut))
			require.ErrorIs(t, err, sqlstore.ErrImporting, "no node takes a part for the whole")
		})
	}
}
