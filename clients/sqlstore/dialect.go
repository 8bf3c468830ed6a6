package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// dialect is what differs between the servers: how statements of many rows are written, what errors mean, and what a
// server has to be set to.
type dialect interface {
	// name is the driver's name in the configuration, and the folder of the migrations.
	name() string
	// bind puts the server's placeholders in the place of question marks.
	bind(query string) string
	// pick selects the rows whose columns by equal one of keys, locked in their order if asked for.
	pick(r *relation, by []column, keys tuples, lock bool) (query string, args []any)
	// put inserts rows.
	put(r *relation, rows tuples, known onKnown) (query string, args []any)
	// remove deletes the rows whose columns by equal one of keys.
	remove(r *relation, by []column, keys tuples) (query string, args []any)
	// latest selects, for each key of a receipt, the device's last receipt that begins at or before its position. There are
	// up to lookups keys.
	latest(keys tuples) (query string, args []any)
	// amend is a statement, with question marks, that makes an amendment, of which it finds the rows in their order. Where a row is not
	// as it was it fails, with an error of differs; or it changes fewer rows, and the next statement is to insist on the condition then.
	// given is that of an amendment right before, on which this one insists if it cannot fail itself.
	amend(a *amendment, given string) (query string, args []any, then string)
	// insist is a statement that fails, with an error of differs, unless a condition holds.
	insist(condition string) (statement string)
	// differs reports whether what an amendment compares, or what is insisted on, is not so. Such an error is refused too.
	differs(err error) bool
	// table is the keys as a table with question marks, its columns named after by.
	table(by []column, keys tuples) (expression string, args []any)
	// among is a condition, with question marks, that a column is one of keys.
	among(c column, keys tuples) (condition string, args []any)

	// nextEvent gives the next event that number at least.
	nextEvent(number uint64) (statement string)

	// now is an expression for the server's clock, in Unix milliseconds.
	now() string
	// lockShared ends a SELECT that has others read its rows too, and nobody change them, until the transaction ends.
	lockShared() string
	// speaker returns what runs the statements of a transaction in few trips; nil where the connections are not known to take
	// them so.
	speaker() speaker
	// begin is the statement that begins a transaction at READ COMMITTED on a connection that the dialect opened.
	begin() string
	// again reports whether the transaction failed through no fault of its own and is to be run again.
	again(err error) bool
	// refused reports whether the server refused what a statement holds, rather than the whole work.
	refused(err error) bool
	// open opens the database that the options name, without reaching it.
	open(opt *Options) (*sql.DB, error)
	// schema is an expression for what the tables are in.
	schema() string
	// lock lets one migration run at a time, until unlock or the end of the connection.
	lock(ctx context.Context, conn *sql.Conn) error
	unlock(ctx context.Context, conn *sql.Conn) error
	// inspect says what of the server's settings may lose commits, and whether it can be written.
	inspect(ctx context.Context, db *sql.DB) (unsafe []string, readOnly bool, err error)
}

// onKnown says what becomes of a row to be inserted whose key is there already.
type onKnown uint8

const (
	fail   onKnown = iota // it cannot be: the statement fails
	change                // the row there gets the new values
	keep                  // the row there stays as it is
)

// tuples are rows, or keys, one after another.
type tuples struct {
	width  int
	values []any // int64, bool, string or []byte
}

func (t *tuples) add(values ...any) {
	t.width = len(values)
	t.values = append(t.values, values...)
}

func (t *tuples) len() int {
	if t.width == 0 {
		return 0
	}
	return len(t.values) / t.width
}

// A statement gets as many rows and bytes as these, which any server takes.
const (
	chunkRows  = 500
	chunkBytes = 4 << 20
)

// lookups is how many questions for one row each go into one statement: what a server makes of more takes longer than
// their trips.
const lookups = 50

// chunks calls visit with parts of t that fit in one statement each.
func (t *tuples) chunks(visit func(part tuples) error) error { return t.parts(chunkRows, visit) }

// parts calls visit with parts of up to n rows that fit in one statement each.
func (t *tuples) parts(n int, visit func(part tuples) error) error {
	for start := 0; start < len(t.values); {
		end, size := start, 0
		for end < len(t.values) && end-start < n*t.width {
			if size += sizeOfAll(t.values[end : end+t.width]); size > chunkBytes && end > start {
				break
			}
			end += t.width
		}
		if err := visit(tuples{t.width, t.values[start:end]}); err != nil {
			return err
		}
		start = end
	}
	return nil
}

func sizeOfAll(values []any) (size int) {
	for _, v := range values {
		size += sizeOf(v)
	}
	return size
}

func sizeOf(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	case []int64:
		return 8 * len(v)
	case []bool:
		return len(v)
	case [][]byte:
		size := 0
		for _, b := range v {
			size += len(b)
		}
		return size
	}
	return 8
}

// plainArgs are the values of t one after another, with strings of byte columns as bytes, so that the server compares them
// with a column as such.
func plainArgs(columns []column, t tuples) []any {
	args := make([]any, len(t.values))
	for i, v := range t.values {
		if columns[i%t.width].kind == bytes {
			v = inBytes(v)
		}
		args[i] = v
	}
	return args
}

// names lists columns with a comma between, each behind prefix.
func names(columns []column, prefix string) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(prefix)
		b.WriteString(c.name)
	}
	return b.String()
}

// dialectOf returns what the driver speaks; ours says that the connections are those that its open makes.
func dialectOf(driver string, ours bool) (dialect, error) {
	switch driver {
	case "mysql":
		return mysqlDialect{ours}, nil
	case "postgres":
		return postgres{ours}, nil
	}
	return nil, fmt.Errorf("there is no driver %q; use mysql or postgres", driver)
}
