package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// The functions of this file let the server compare what a batch assumes with what is there, in the statements that change it: to
// ask for it would be one more trip.

// amendment is rows of a table that get new values, if they are as they were.
type amendment struct {
	of        *relation
	set, held []column // what they get, and what they are compared by
	rows      tuples   // key, set, held
}

// columns are those of the rows; the old values have names of their own.
func (a *amendment) columns() []column {
	columns := slices.Concat(a.of.key(a.of.keys), a.set)
	for _, c := range a.held {
		columns = append(columns, column{name: "old_" + c.name, kind: c.kind})
	}
	return columns
}

// same says that a row of t is the one that k changes, and is as it was.
func (a *amendment) same() string {
	text := equal(a.of.key(a.of.keys))
	for _, c := range a.held {
		text += fmt.Sprintf(" AND t.%[1]s = k.old_%[1]s", c.name)
	}
	return text
}

// sets assigns the new values to columns behind prefix.
func (a *amendment) sets(prefix string) string {
	var list []string
	for _, c := range a.set {
		list = append(list, fmt.Sprintf("%s%[2]s = k.%[2]s", prefix, c.name))
	}
	return strings.Join(list, ", ")
}

// amend joins in this order, by the primary key, so that no rows but those of k are locked, and these in its order.
func (d mysqlDialect) amend(a *amendment, given string) (query string, args []any, then string) {
	table, args := d.table(a.columns(), a.rows)
	if given != "" {
		given = " AND " + given
	}
	query = fmt.Sprintf("UPDATE %s AS k STRAIGHT_JOIN %s AS t FORCE INDEX (PRIMARY) ON %s%s SET %s", table, a.of.name, a.same(), given, a.sets("t."))
	return query, args, fmt.Sprintf("ROW_COUNT() = %d", a.rows.len())
}

// insist fails by a number that is too large.
func (mysqlDialect) insist(condition string) string {
	return "SELECT IF(" + condition + ", 0, 18446744073709551615 + 1)"
}

func (mysqlDialect) differs(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1690
}

// amend locks the rows first, in their order: an UPDATE changes them in any.
func (d postgres) amend(a *amendment, _ string) (query string, args []any, then string) {
	table, args := d.table(a.columns(), a.rows)
	key := a.of.key(a.of.keys)
	query = fmt.Sprintf(`WITH k AS (SELECT k.* FROM %[1]s AS t JOIN %[2]s AS k ON %[3]s ORDER BY %[4]s FOR UPDATE OF t),
		done AS (UPDATE %[1]s AS t SET %[5]s FROM k WHERE %[6]s RETURNING 1) SELECT 1 / (COUNT(*) = ?)::int FROM done`,
		a.of.name, table, a.same(), names(key, "t."), a.sets(""), equal(key))
	return query, append(args, int64(a.rows.len())), ""
}

// insist fails by a division by zero.
func (postgres) insist(condition string) string { return "SELECT 1 / (" + condition + ")::int" }

func (postgres) differs(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "22012"
}
