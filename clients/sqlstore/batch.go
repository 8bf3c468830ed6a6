package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// inBatch is the speaker for connections of pgx, which sends many prepared statements at once and reads their answers as they
// come. Up to the first list with a COMMIT nothing can hold, so that a connection found dead is a bad one, whatever was sent.
func inBatch(ctx context.Context, conn *sql.Conn, list []statement) (changed int64, err error) {
	err = conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("sqlstore: the connection is a %T, not pgx's", raw)
		}
		changed, err = send(ctx, c.Conn(), list)
		if err != nil && c.Conn().IsClosed() && ctx.Err() == nil && list[len(list)-1].query != sayCommit {
			return errors.Join(driver.ErrBadConn, err)
		}
		return err
	})
	return changed, err
}

func send(ctx context.Context, c *pgx.Conn, list []statement) (changed int64, err error) {
	var batch pgx.Batch
	for i := range list {
		batch.Queue(list[i].query, list[i].args...)
	}
	answers := c.SendBatch(ctx, &batch)
	defer func() {
		if closed := answers.Close(); err == nil { // it repeats an error that was met
			err = closed
		}
	}()
	for i := range list {
		if list[i].visit == nil {
			done, err := answers.Exec()
			if err != nil {
				return 0, err
			}
			changed = done.RowsAffected()
			continue
		}
		rows, err := answers.Query()
		if err != nil {
			return 0, err
		}
		if err := visitAll(rows, list[i].visit); err != nil {
			return 0, err
		}
	}
	return changed, nil
}

func visitAll(rows pgx.Rows, visit func(row scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := visit(pgxRow{rows}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pgxRow scans bytes into strings, as database/sql does and pgx does not.
type pgxRow struct{ pgx.Rows }

// Scan implements scanner.
func (r pgxRow) Scan(to ...any) error {
	for i, v := range to {
		if s, ok := v.(*string); ok {
			to[i] = (*textOfBytes)(s)
		}
	}
	return r.Rows.Scan(to...)
}

// textOfBytes implements pgtype.BytesScanner.
type textOfBytes string

// ScanBytes takes a copy of b.
func (t *textOfBytes) ScanBytes(b []byte) error {
	*t = textOfBytes(b)
	return nil
}
