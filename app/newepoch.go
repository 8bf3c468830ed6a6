package app

import (
	"context"
	"fmt"
	"io"

	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/clients/sqlstore"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
)

// NewEpoch begins a new epoch of the ledger that the configuration names, after it came back without some of what had been
// committed. No node may have the ledger open. It writes what the ledger then says of itself to out.
func NewEpoch(ctx context.Context, cfg *configs.Config, out io.Writer) error {
	info, err := newEpoch(ctx, cfg)
	if err != nil {
		return err
	}
	where := cfg.Store.Dir
	if cfg.Store.Driver != "pebble" {
		where = "the database of store.dsn"
	}
	_, _ = fmt.Fprintf(out, "the ledger in %s has epoch %d; the nodes can be started\n", where, info.Epoch)
	return nil
}

func newEpoch(ctx context.Context, cfg *configs.Config) (ws.LedgerInfo, error) {
	if cfg.Store.Driver == "pebble" {
		return pebblestore.NewEpoch(ctx, cfg.Store.Dir, nil)
	}
	return sqlstore.NewEpoch(ctx, commandSQL(cfg))
}
