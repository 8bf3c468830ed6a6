//go:build services

package failures

import (
	"context"
	"flag"
	"io"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/world"
	"github.com/yanlink/yanlink/deploy/services"
)

var store = flag.String("store", "", "the database of all rows, mysql or postgres; empty: MariaDB, and the short rows about the database on PostgreSQL too")

// mainStore is the database of all rows.
func mainStore() services.Kind {
	if *store == "postgres" {
		return services.Postgres
	}
	return services.MariaDB
}

// onStores runs a row about the database on each that is asked for: a short one on both unless one is chosen.
func onStores(t *testing.T, short bool, row func(t *testing.T, kind services.Kind)) {
	kinds := []services.Kind{mainStore()}
	if short && *store == "" {
		kinds = append(kinds, services.Postgres)
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) { row(t, kind) })
	}
}

// other is a database beside the one of all rows.
var other struct {
	once   sync.Once
	err    error
	server *services.Server
}

// on puts the town on a database of that kind.
func (w *town) on(kind services.Kind) *town {
	w.Helper()
	if kind == w.SQL.Kind {
		return w
	}
	other.once.Do(func() {
		if other.err = services.Install(context.Background(), io.Discard, kind); other.err == nil {
			other.server, other.err = services.Start(context.Background(), services.Spec{Kind: kind, Dir: filepath.Join(shared.dir, string(kind))})
		}
	})
	require.NoError(w, other.err)
	moved := *w.Backends
	moved.SQL = other.server
	w.Backends = &moved
	return w
}

// onlyLedger is a change of nodes that know of no others, on one ledger.
func onlyLedger(dsn string) (env []string, change func(int, *world.Addresses)) {
	env = []string{"YANLINK_REGISTRY_DRIVER=memory", "YANLINK_BUS_DRIVER=memory"}
	return env, func(_ int, a *world.Addresses) { a.DSN = dsn }
}
