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

// CheckStore verifies every invariant of the ledger in dir, which no process may have open. It writes what breaks, one a
// line, and a summary to out, and returns how much breaks. The error says that the ledger could not be read.
func CheckStore(ctx context.Context, dir string, out io.Writer) (problems int, err error) {
	sum, err := pebblestore.Check(ctx, dir, nil, lines(out))
	return summarize(out, dir, sum, err)
}

// CheckLedger is CheckStore for the ledger that the configuration names. Nodes may have a database open meanwhile.
func CheckLedger(ctx context.Context, cfg *configs.Config, out io.Writer) (problems int, err error) {
	if cfg.Store.Driver == "pebble" {
		return CheckStore(ctx, cfg.Store.Dir, out)
	}
	sum, err := sqlstore.Check(ctx, commandSQL(cfg), lines(out))
	return summarize(out, "the database", sum, err)
}

func lines(out io.Writer) func(string) {
	return func(line string) { _, _ = fmt.Fprintln(out, line) }
}

func summarize(out io.Writer, what string, sum ws.LedgerSummary, err error) (problems int, _ error) {
	if err != nil {
		return sum.Broken, err
	}
	_, _ = fmt.Fprintf(out, "%s: format %d, epoch %d\n", what, sum.Info.Format, sum.Info.Epoch)
	_, _ = fmt.Fprintf(out, "%d users, %d devices, %d tokens, %d conversations, %d stays, %d records, %d dedup keys, %d cursors, %d receipts, %d scheduled, %d events\n",
		sum.Users, sum.Devices, sum.Tokens, sum.Conversations, sum.Stays, sum.Records, sum.Dedups, sum.Cursors, sum.Receipts, sum.Scheduled, sum.Events)
	return sum.Broken, nil
}
