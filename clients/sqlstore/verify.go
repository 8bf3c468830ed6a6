package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// verify reads rows back by their keys and compares every column.
func (s *Store) verify(ctx context.Context, r *relation, rows *tuples) error {
	return rows.chunks(func(part tuples) error {
		var keys tuples
		written := make(map[string]string, part.len())
		for at := 0; at < len(part.values); at += part.width {
			row := part.values[at : at+part.width]
			keys.add(row[:r.keys]...)
			written[plain(r, row[:r.keys])] = plain(r, row)
		}
		query, args := s.dialect.pick(r, r.key(r.keys), keys, false)
		found, err := s.db.QueryContext(ctx, query, args...)
		err = each(found, err, func(scanner) error {
			row, err := valuesOf(found)
			if err != nil {
				return err
			}
			key := plain(r, row[:r.keys])
			if written[key] == plain(r, row) {
				delete(written, key)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read %s back: %w", r.name, err)
		}
		for key := range written {
			return fmt.Errorf("%s: the row %sand %d more do not read as they were written", r.name, key, len(written)-1)
		}
		return nil
	})
}

// valuesOf returns the values of a row as the driver has them.
func valuesOf(rows *sql.Rows) ([]any, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(columns))
	to := make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	return values, rows.Scan(to...)
}

// plain writes values of the relation's first columns so that the same ones read the same, however a driver gives them.
func plain(r *relation, values []any) string {
	var text []byte
	for i, v := range values {
		switch v := v.(type) {
		case []byte:
			text = fmt.Appendf(text, "%q ", v)
		case string:
			text = fmt.Appendf(text, "%q ", v)
		case bool:
			text = fmt.Appendf(text, "%t ", v)
		case int64:
			if r.columns[i].kind == boolean {
				text = fmt.Appendf(text, "%t ", v != 0)
			} else {
				text = fmt.Appendf(text, "%d ", v)
			}
		default:
			text = fmt.Appendf(text, "%T ", v)
		}
	}
	return string(text)
}
