package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// Check reads the whole ledger that opt names and changes nothing. Nodes may go on meanwhile: it sees the state of one
// moment. It calls report with a line for each thing that breaks an invariant, up to a hundred of each kind, and counts
// all in LedgerSummary.Broken. The error says that the ledger could not be read at all, or not to its end.
func Check(ctx context.Context, opt Options, report func(line string)) (sum ws.LedgerSummary, err error) {
	opt.StatementTimeout = checkTimeout
	s, err := connectSoon(ctx, opt)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if sum.Info, err = s.inform(ctx, s.db); err != nil {
		return sum, err
	}
	if sum.Info.Format < format {
		return sum, fmt.Errorf("%w: there is no ledger of format %d; look at store.dsn, or run yanlink migrate", ErrNotMigrated, format)
	}
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return sum, err
	}
	c := &checker{tx: tx, report: report, sum: &sum}
	return sum, errors.Join(c.run(ctx), tx.Rollback())
}

const (
	checkTimeout  = 24 * time.Hour // reading all of a large ledger takes its time
	reportedAtOne = 100
)

type checker struct {
	tx     *sql.Tx
	report func(line string)
	sum    *ws.LedgerSummary
}

func (c *checker) run(ctx context.Context) error {
	for table, count := range map[*relation]*int{
		users: &c.sum.Users, devices: &c.sum.Devices, tokens: &c.sum.Tokens, members: &c.sum.Stays, messages: &c.sum.Records,
		dedups: &c.sum.Dedups, cursors: &c.sum.Cursors, receipts: &c.sum.Receipts, scheduled: &c.sum.Scheduled, events: &c.sum.Events,
	} {
		if err := c.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table.name).Scan(count); err != nil {
			return err
		}
	}
	if err := c.tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM yanlink_conversations AS c WHERE "+there).Scan(&c.sum.Conversations); err != nil {
		return err
	}
	for i := range invariants {
		if err := c.check(ctx, &invariants[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) check(ctx context.Context, inv *invariant) error {
	found := 0
	rows, err := c.tx.QueryContext(ctx, inv.query)
	return each(rows, err, func(scanner) error {
		found++
		c.sum.Broken++
		if found > reportedAtOne {
			return nil
		}
		values, err := textsOf(rows)
		c.report(fmt.Sprintf(inv.text, values...))
		return err
	})
}

// textsOf returns the values of a row as texts.
func textsOf(rows *sql.Rows) ([]any, error) {
	values, err := valuesOf(rows)
	for i, v := range values {
		switch v := v.(type) {
		case []byte:
			values[i] = string(v)
		case int64:
			values[i] = strconv.FormatInt(v, 10)
		case nil:
			values[i] = "none"
		}
	}
	return values, err
}
