package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres speaks to PostgreSQL. Rows go to it as one array for each column, so that the text of a statement is the same
// for any number of rows, and prepared once for each connection.
type postgres struct {
	ours bool // the connections are those that open makes
}

func (postgres) name() string { return "postgres" }

func (d postgres) speaker() speaker {
	if !d.ours {
		return nil
	}
	return inBatch
}

func (postgres) begin() string { return "START TRANSACTION ISOLATION LEVEL READ COMMITTED" }

func (postgres) bind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

func (postgres) pick(r *relation, by []column, keys tuples, lock bool) (string, []any) {
	query := fmt.Sprintf("SELECT %s FROM %s AS t JOIN unnest(%s) AS k(%s) ON %s", names(r.columns, "t."), r.name, arrays(by), names(by, ""), equal(by))
	if lock {
		query += " ORDER BY " + names(by, "t.") + " FOR UPDATE OF t"
	}
	return query, postgresArgs(by, keys)
}

// arrays lists a typed placeholder for each column, and marks a question mark.
func arrays(columns []column) string { return postgres{}.bind(marks(columns)) }

func marks(columns []column) string {
	types := [...]string{integer: "?::bigint[]", boolean: "?::boolean[]", bytes: "?::bytea[]", text: "?::bytea[]"}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = types[c.kind]
	}
	return strings.Join(list, ", ")
}

// equal says that the columns of t and k are equal.
func equal(by []column) string {
	var b strings.Builder
	for i, c := range by {
		if i > 0 {
			b.WriteString(" AND ")
		}
		fmt.Fprintf(&b, "t.%[1]s = k.%[1]s", c.name)
	}
	return b.String()
}

func (postgres) put(r *relation, rows tuples, known onKnown) (string, []any) {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s AS t (%s) SELECT * FROM unnest(%s)", r.name, names(r.columns, ""), arrays(r.columns))
	switch known {
	case keep:
		b.WriteString(" ON CONFLICT DO NOTHING")
	case change:
		fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET ", names(r.key(r.keys), ""))
		for i, c := range r.columns[r.keys:] {
			if i > 0 {
				b.WriteString(", ")
			}
			if c.raised {
				fmt.Fprintf(&b, "%[1]s = GREATEST(t.%[1]s, EXCLUDED.%[1]s)", c.name)
			} else {
				fmt.Fprintf(&b, "%[1]s = EXCLUDED.%[1]s", c.name)
			}
		}
	}
	return b.String(), postgresArgs(r.columns, rows)
}

func (postgres) remove(r *relation, by []column, keys tuples) (string, []any) {
	query := fmt.Sprintf("DELETE FROM %s AS t USING unnest(%s) AS k(%s) WHERE %s", r.name, arrays(by), names(by, ""), equal(by))
	return query, postgresArgs(by, keys)
}

func (postgres) latest(keys tuples) (string, []any) {
	by, columns := receipts.key(4), names(receipts.columns, "r.")
	query := fmt.Sprintf(`SELECT %[1]s FROM unnest(%[2]s) AS k(%[3]s) CROSS JOIN LATERAL (SELECT %[1]s FROM yanlink_receipts AS r
		WHERE r.conversation = k.conversation AND r.openid = k.openid AND r.device = k.device AND r.from_seq <= k.from_seq
		ORDER BY r.from_seq DESC LIMIT 1) AS r`, columns, arrays(by), names(by, ""))
	return query, postgresArgs(by, keys)
}

func (postgres) table(by []column, keys tuples) (string, []any) {
	return fmt.Sprintf("(SELECT * FROM unnest(%s) AS k(%s))", marks(by), names(by, "")), postgresArgs(by, keys)
}

func (postgres) among(c column, keys tuples) (string, []any) {
	return c.name + " = ANY(?)", postgresArgs([]column{c}, keys)
}

// postgresArgs turns rows into one array for each column.
func postgresArgs(columns []column, t tuples) []any {
	args, n := make([]any, len(columns)), t.len()
	for i, c := range columns {
		switch c.kind {
		case integer:
			list := make([]int64, n)
			for j := range list {
				list[j] = t.values[j*t.width+i].(int64)
			}
			args[i] = list
		case boolean:
			list := make([]bool, n)
			for j := range list {
				list[j] = t.values[j*t.width+i].(bool)
			}
			args[i] = list
		default:
			list := make([][]byte, n)
			for j := range list {
				list[j] = inBytes(t.values[j*t.width+i])
			}
			args[i] = list
		}
	}
	return args
}

// inBytes returns a string or bytes as bytes, which are never nil: that would be NULL.
func inBytes(v any) []byte {
	if s, ok := v.(string); ok {
		return []byte(s)
	}
	if b := v.([]byte); b != nil {
		return b
	}
	return []byte{}
}

func (postgres) again(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40001", "40P01", // serialization failure, deadlock
		"55P03", // a lock was waited for too long
		"23505": // a key that another batch inserted meanwhile
		return true
	}
	return false
}

func (postgres) refused(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code == "42501" {
		return false
	}
	switch e.Code[:2] {
	case "22", "23", "42", "54": // data, constraints, syntax, limits
		return true
	}
	return false
}

func (d postgres) open(opt *Options) (*sql.DB, error) {
	cfg, err := d.config(opt)
	if err != nil {
		return nil, err
	}
	return d.over(cfg), nil
}

// over opens a database whose connections are made as cfg says.
func (postgres) over(cfg *pgx.ConnConfig) *sql.DB {
	return stdlib.OpenDB(*cfg, stdlib.OptionShouldPing(pings))
}

// restedFor is how long nobody has used a connection that may have died meanwhile.
const restedFor = time.Second

// pings asks a connection that rested whether it lives, for reads; a transaction's first list tells.
func pings(ctx context.Context, conn stdlib.ShouldPingParams) bool {
	return conn.IdleDuration > restedFor && ctx.Value(unasked{}) == nil
}

func (postgres) config(opt *Options) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(opt.DSN)
	if err != nil {
		return nil, err
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	for name, limit := range map[string]time.Duration{
		"lock_timeout": lockTime, "idle_in_transaction_session_timeout": silentTime, "statement_timeout": opt.StatementTimeout + time.Second,
	} {
		if cfg.RuntimeParams[name] == "" {
			cfg.RuntimeParams[name] = strconv.FormatInt(limit.Milliseconds(), 10)
		}
	}
	return cfg, nil
}

func (postgres) nextEvent(number uint64) string {
	return fmt.Sprintf("ALTER TABLE yanlink_outbox ALTER COLUMN id RESTART WITH %d", number)
}

func (postgres) lockShared() string { return " FOR SHARE" }

func (postgres) now() string { return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)" }

func (postgres) schema() string { return "current_schema()" }

func (postgres) unlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock(hashtext('yanlink.migrate'), hashtext(current_database()))")
	return err
}

func (postgres) lock(ctx context.Context, conn *sql.Conn) error {
	for {
		var got bool
		err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(hashtext('yanlink.migrate'), hashtext(current_database()))").Scan(&got)
		if err != nil || got {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (postgres) inspect(ctx context.Context, db *sql.DB) (unsafe []string, readOnly bool, err error) {
	settings := map[string]string{}
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := db.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return nil, false, err
		}
		settings[name] = value
		if value == "off" {
			unsafe = append(unsafe, name+" is off; set it to on")
		}
	}
	err = db.QueryRowContext(ctx, "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'").Scan(&readOnly)
	return unsafe, readOnly, err
}
