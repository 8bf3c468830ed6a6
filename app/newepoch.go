package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/yanlink/yanlink/clients/sqlstore"
	"github.com/yanlink/yanlink/configs"
)

// NewEpoch begins a new epoch of the ledger that the configuration names, after its database came back without some of
// what had been committed. No node may have the ledger open. It writes what the ledger then says of itself to out.
func NewEpoch(ctx context.Context, cfg *configs.Config, out io.Writer) error {
	if cfg.Store.Driver == "pebble" {
		return errors.New("new-epoch is for a database; set store.driver and store.dsn to the one that was restored")
	}
	info, err := sqlstore.NewEpoch(ctx, commandSQL(cfg))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "the ledger has epoch %d; the nodes can be started\n", info.Epoch)
	return nil
}
