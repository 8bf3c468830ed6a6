package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mysqlDialect speaks to MySQL and MariaDB.
type mysqlDialect struct {
	ours bool // the connections are those that open makes
}

func (mysqlDialect) name() string { return "mysql" }

func (mysqlDialect) bind(query string) string { return query }

func (mysqlDialect) pick(r *relation, by []column, keys tuples, lock bool) (string, []any) {
	var b strings.Builder
	fmt.Fprintf(&b, "SELECT %s FROM %s WHERE ", names(r.columns, ""), r.name)
	matching(&b, by, keys.len())
	if lock {
		fmt.Fprintf(&b, " ORDER BY %s FOR UPDATE", names(by, ""))
	}
	return b.String(), plainArgs(by, keys)
}

// matching writes that the columns equal one of n keys, in a form that both servers look up as ranges of an index.
func matching(b *strings.Builder, by []column, n int) {
	if len(by) == 1 {
		fmt.Fprintf(b, "%s IN (", by[0].name)
	} else {
		fmt.Fprintf(b, "(%s) IN (", names(by, ""))
	}
	lists(b, n, len(by), len(by) > 1)
	b.WriteByte(')')
}

// lists writes n lists of width placeholders.
func lists(b *strings.Builder, n, width int, parentheses bool) {
	one := strings.TrimSuffix(strings.Repeat("?,", width), ",")
	if parentheses {
		one = "(" + one + ")"
	}
	b.WriteString(strings.TrimSuffix(strings.Repeat(one+",", n), ","))
}

func (mysqlDialect) put(r *relation, rows tuples, known onKnown) (string, []any) {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", r.name, names(r.columns, ""))
	lists(&b, rows.len(), rows.width, true)
	switch known {
	case keep:
		fmt.Fprintf(&b, " ON DUPLICATE KEY UPDATE %[1]s = %[1]s", r.columns[0].name)
	case change:
		b.WriteString(" ON DUPLICATE KEY UPDATE ")
		for i, c := range r.columns[r.keys:] {
			if i > 0 {
				b.WriteString(", ")
			}
			if c.raised {
				fmt.Fprintf(&b, "%[1]s = GREATEST(%[1]s, VALUES(%[1]s))", c.name)
			} else {
				fmt.Fprintf(&b, "%[1]s = VALUES(%[1]s)", c.name)
			}
		}
	}
	return b.String(), plainArgs(r.columns, rows)
}

func (mysqlDialect) remove(r *relation, by []column, keys tuples) (string, []any) {
	var b strings.Builder
	fmt.Fprintf(&b, "DELETE FROM %s WHERE ", r.name)
	// MariaDB looks up a list of pairs in a SELECT, and reads the whole table for one in a DELETE.
	one := "(" + names(by, "") + " = ?)"
	one = strings.ReplaceAll(one, ", ", " = ? AND ")
	b.WriteString(strings.TrimSuffix(strings.Repeat(one+" OR ", keys.len()), " OR "))
	return b.String(), plainArgs(by, keys)
}

// latest looks each one up with constants: MariaDB finds no end of a range that comes from another table.
func (mysqlDialect) latest(keys tuples) (string, []any) {
	query := strings.Repeat(latestReceipt+" UNION ALL ", keys.len())
	return strings.TrimSuffix(query, " UNION ALL "), plainArgs(receipts.key(4), keys)
}

func (mysqlDialect) table(by []column, keys tuples) (string, []any) {
	var first strings.Builder
	for i, c := range by {
		if i > 0 {
			first.WriteString(", ")
		}
		first.WriteString("? AS " + c.name)
	}
	rest := " UNION ALL SELECT " + strings.TrimSuffix(strings.Repeat("?, ", len(by)), ", ")
	return "(SELECT " + first.String() + strings.Repeat(rest, keys.len()-1) + ")", plainArgs(by, keys)
}

func (mysqlDialect) among(c column, keys tuples) (string, []any) {
	var b strings.Builder
	matching(&b, []column{c}, keys.len())
	return b.String(), plainArgs([]column{c}, keys)
}

// What errors of the server mean, by their numbers.
var (
	mysqlAgain = map[uint16]bool{
		1205: true, // a lock was waited for too long
		1213: true, // deadlock
		1020: true, // a row changed since it was read
		1062: true, // a key that another batch inserted meanwhile
	}
	mysqlRefused = map[uint16]bool{
		1048: true, 1062: true, 1064: true, 1054: true, 1146: true, 1153: true, 1264: true, 1265: true, 1292: true, 1366: true, 1390: true, 1406: true, 1300: true,
		1690: true, // insist's
	}
)

func (mysqlDialect) again(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && mysqlAgain[e.Number]
}

func (mysqlDialect) refused(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && mysqlRefused[e.Number] || errors.Is(err, mysql.ErrPktTooLarge)
}

func (d mysqlDialect) speaker() speaker {
	if !d.ours {
		return nil
	}
	return inOneText
}

// begin has its isolation from the connection, see readCommitted: to say it would be one more statement.
func (mysqlDialect) begin() string { return "START TRANSACTION" }

// readCommitted are connections that are set to READ COMMITTED once.
type readCommitted struct{ driver.Connector }

// Connect implements driver.Connector.
func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	// The variable for it has not the same name in MySQL and in MariaDB.
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (d mysqlDialect) open(opt *Options) (*sql.DB, error) {
	cfg, err := d.config(opt)
	if err != nil {
		return nil, err
	}
	return d.over(cfg)
}

// over opens a database whose connections are made as cfg says.
func (mysqlDialect) over(cfg *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(readCommitted{connector}), nil
}

func (mysqlDialect) config(opt *Options) (*mysql.Config, error) {
	cfg, err := mysql.ParseDSN(opt.DSN)
	if err != nil {
		return nil, err
	}
	cfg.InterpolateParams = true // the text of a statement depends on its rows: preparing it would be one more trip
	cfg.MultiStatements = true   // what a commit writes goes in one trip
	cfg.RejectReadOnly = true    // after a fail-over, connect anew
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = opt.StatementTimeout + time.Second
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = opt.StatementTimeout + time.Second
	}
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	for name, value := range map[string]string{
		"sql_mode": "'STRICT_TRANS_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO'", "innodb_lock_wait_timeout": seconds(lockTime),
		"wait_timeout": seconds(silentTime),
	} {
		if cfg.Params[name] == "" {
			cfg.Params[name] = value
		}
	}
	return cfg, nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func (mysqlDialect) nextEvent(number uint64) string {
	return fmt.Sprintf("ALTER TABLE yanlink_outbox AUTO_INCREMENT = %d", number)
}

func (mysqlDialect) lockShared() string { return " LOCK IN SHARE MODE" }

func (mysqlDialect) now() string {
	return "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
}

func (mysqlDialect) schema() string { return "DATABASE()" }

func (mysqlDialect) unlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT RELEASE_LOCK(CONCAT('yanlink.', MD5(DATABASE())))")
	return err
}

func (mysqlDialect) lock(ctx context.Context, conn *sql.Conn) error {
	for {
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('yanlink.', MD5(DATABASE())), 1)").Scan(&got); err != nil {
			return err
		}
		if got.Int64 == 1 {
			return nil
		}
	}
}

func (mysqlDialect) inspect(ctx context.Context, db *sql.DB) (unsafe []string, readOnly bool, err error) {
	var version, mode, logFormat string
	var flush, logged, synced int64
	err = db.QueryRowContext(ctx, `SELECT VERSION(), @@sql_mode, @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog, @@binlog_format,
		@@global.read_only`).Scan(&version, &mode, &flush, &logged, &synced, &logFormat, &readOnly)
	if err != nil {
		return nil, false, err
	}
	if flush != 1 && (flush != 3 || !strings.Contains(version, "MariaDB")) {
		unsafe = append(unsafe, fmt.Sprintf("innodb_flush_log_at_trx_commit is %d; set it to 1", flush))
	}
	if logged == 1 && synced != 1 {
		unsafe = append(unsafe, fmt.Sprintf("sync_binlog is %d; set it to 1", synced))
	}
	if logged == 1 && logFormat == "STATEMENT" {
		unsafe = append(unsafe, "binlog_format is STATEMENT, with which it refuses to write; set it to ROW or MIXED")
	}
	if !strings.Contains(mode, "STRICT_") {
		unsafe = append(unsafe, "sql_mode lets values be cut off; add STRICT_TRANS_TABLES")
	}
	return unsafe, readOnly, nil
}
