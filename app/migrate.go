package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/yanlink/yanlink/clients/sqlstore"
	"github.com/yanlink/yanlink/configs"
)

// Migrate brings the tables of the database that the configuration names to this program's format, and writes what the
// ledger then says of itself to out. It is for store.migrate: off, where no node may change tables.
func Migrate(ctx context.Context, cfg *configs.Config, out io.Writer) error {
	if cfg.Store.Driver == "pebble" {
		return errors.New("migrate is for a database; set store.driver and store.dsn (a folder is brought to its format by the node that opens it)")
	}
	info, err := sqlstore.Migrate(ctx, commandSQL(cfg))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "the ledger has format %d; the nodes can be started\n", info.Format)
	return nil
}

// commandSQL are the options of a command that uses the database by itself, and says nothing but its result.
func commandSQL(cfg *configs.Config) sqlstore.Options {
	b := &Bundle{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	return b.sqlOptions()
}
