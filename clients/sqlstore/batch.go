package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// inBatch is the speaker for connections of pgx, which sends many prepared statements at once and reads their answers as they
// come. Of a connection that is gone, a list without a COMMIT leaves nothing behind; nor does any list on a server that became
// read only, whose connections are given up so that the next ones are to whoever can be written now.
func inBatch(ctx context.Context, conn *sql.Conn, list []statement) (changed int64, err error) {
	err = conn.Raw(func(raw any) error {
		c, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("sqlstore: the connection is a %T, not pgx's", raw)
		}
		changed, err = send(ctx, c.Conn(), list)
		if readOnly(err) || err != nil && ctx.Err() == nil && c.Conn().IsClosed() && !ends(list) {
			return errors.Join(driver.ErrBadConn, err)
		}
		return err
	})
	return changed, err
}

// ends reports whether a list ends its transaction.
func ends(list []statement) bool { return list[len(list)-1].query == sayCommit }

// errNotCommitted says that a COMMIT was answered with a ROLLBACK, as PostgreSQL does where a statement had failed before.
var errNotCommitted = errors.New("sqlstore: the server rolled back what it was to commit")

// readOnly reports whether the server said read_only_sql_transaction.
func readOnly(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "25006"
}

// send returns how many rows the last statement changed.
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
		if changed, err = receive(answers, &list[i]); err != nil {
			return 0, err
		}
	}
	return changed, nil
}

// receive reads the answer to the next statement.
func receive(answers pgx.BatchResults, st *statement) (changed int64, err error) {
	if st.visit != nil {
		rows, err := answers.Query()
		if err != nil {
			return 0, err
		}
		return 0, visitAll(rows, st.visit)
	}
	done, err := answers.Exec()
	if err == nil && st.query == sayCommit && done.String() != sayCommit {
		err = errNotCommitted
	}
	return done.RowsAffected(), err
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
