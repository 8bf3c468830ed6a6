package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

var errAnswers = errors.New("sqlstore: the server answered fewer queries than it was asked")

// inOneText is the speaker for connections that take many statements in one text. What comes after the last query goes in
// a second one, since its errors would not be told behind answers.
func inOneText(ctx context.Context, conn *sql.Conn, list []statement) (changed int64, err error) {
	asked := len(list)
	for asked > 0 && list[asked-1].visit == nil {
		asked--
	}
	if asked > 0 {
		text, args := joined(list[:asked])
		rows, err := conn.QueryContext(ctx, text, args...)
		if err := readAll(rows, err, list[:asked]); err != nil {
			return 0, err
		}
	}
	if asked == len(list) {
		return 0, nil
	}
	text, args := joined(list[asked:])
	result, err := conn.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected() // of several, those of the last
}

func joined(list []statement) (text string, args []any) {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].query
		args = append(args, list[i].args...)
	}
	return strings.Join(texts, "; "), args
}

// readAll visits one answer after the other; statements that answer with no rows are passed over.
func readAll(rows *sql.Rows, err error, list []statement) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what it says, Err has said
	first := true
	for i := range list {
		if list[i].visit == nil {
			continue
		}
		if !first && !rows.NextResultSet() {
			if err := rows.Err(); err != nil {
				return err
			}
			return errAnswers
		}
		first = false
		for rows.Next() {
			if err := list[i].visit(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}
