package app

import (
	"context"
	"fmt"
	"io"

	"github.com/yanlink/yanlink/clients/pebblestore"
)

// CheckStore verifies every invariant of the ledger in dir, which no process may have open. It writes what breaks, one a
// line, and a summary to out, and returns how much breaks. The error says that the ledger could not be read.
func CheckStore(ctx context.Context, dir string, out io.Writer) (problems int, err error) {
	sum, err := pebblestore.Check(ctx, dir, nil, func(problem string) { _, _ = fmt.Fprintln(out, problem) })
	if err != nil {
		return sum.Broken, err
	}
	_, _ = fmt.Fprintf(out, "%s: format %d, epoch %d\n", dir, sum.Info.Format, sum.Info.Epoch)
	_, _ = fmt.Fprintf(out, "%d users, %d devices, %d tokens, %d conversations, %d stays, %d records, %d dedup keys, %d cursors, %d receipts, %d scheduled, %d events\n",
		sum.Users, sum.Devices, sum.Tokens, sum.Conversations, sum.Stays, sum.Records, sum.Dedups, sum.Cursors, sum.Receipts, sum.Scheduled, sum.Events)
	return sum.Broken, nil
}
