//go:build services

package sqlstore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// access is how a statement came to the rows of one table.
type access struct {
	table, index string // index: empty for a scan of the whole table
	rows, pages  int64  // that were read; pages are PostgreSQL's
	how          string // as MariaDB calls it
	loops        float64
}

// explained is a statement that the store asked, and what the server did for it.
type explained struct {
	place    place
	query    string
	accesses []access
}

// explaining is a connector that has the server explain every statement right before it runs, with its own arguments, on
// its own connection, in its own transaction. So what is explained is what the store asks, and nothing else.
type explaining struct {
	driver.Connector
	explain func(ctx context.Context, c fullConn, query string, args []driver.NamedValue) ([]access, error)
	places  []place

	mu    sync.Mutex
	on    bool
	found []explained
}

func (e *explaining) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := e.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &explainingConn{fullConn: c.(fullConn), of: e}, nil
}

type explainingConn struct {
	fullConn
	of *explaining
	in bool // a transaction
}

func (c *explainingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.fullConn.BeginTx(ctx, opts)
	c.in = err == nil
	return explainingTx{tx, c}, err
}

type explainingTx struct {
	driver.Tx
	conn *explainingConn
}

func (tx explainingTx) Commit() error {
	tx.conn.in = false
	return tx.Tx.Commit()
}

func (tx explainingTx) Rollback() error {
	tx.conn.in = false
	return tx.Tx.Rollback()
}

func (c *explainingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return c.fullConn.QueryContext(ctx, query, args)
}

func (c *explainingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return c.fullConn.ExecContext(ctx, query, args)
}

// explain runs the statement once more, and takes back what it did.
func (c *explainingConn) explain(ctx context.Context, query string, args []driver.NamedValue) error {
	e := c.of
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.on {
		return nil
	}
	at, known, aside := placeOfCaller(e.places)
	if aside {
		return nil
	}
	if !known {
		return fmt.Errorf("this is asked from a place that was not found in the code: %s", query)
	}
	if !c.in && !strings.HasPrefix(strings.TrimPrefix(query, "("), "SELECT") {
		return errors.New("this writes outside of a transaction: " + query)
	}
	before, after := "BEGIN", []string{"ROLLBACK"}
	if c.in {
		before, after = savepoint, backToSavepoint
	}
	if err := run(ctx, c.fullConn, before); err != nil {
		return err
	}
	accesses, err := e.explain(ctx, c.fullConn, query, args)
	if err != nil {
		return fmt.Errorf("explain %s: %w", query, err)
	}
	e.found = append(e.found, explained{at, query, accesses})
	return run(ctx, c.fullConn, after...)
}

const savepoint = "SAVEPOINT explained"

var backToSavepoint = []string{"ROLLBACK TO " + savepoint, "RELEASE " + savepoint}

func run(ctx context.Context, c fullConn, statements ...string) error {
	for _, statement := range statements {
		if _, err := c.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	return nil
}

// ask returns the last column of an answer.
func ask(ctx context.Context, c fullConn, query string, args []driver.NamedValue) (texts []string, err error) {
	rows, err := c.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(row); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return texts, err
		}
		switch v := row[len(row)-1].(type) {
		case []byte:
			texts = append(texts, string(v))
		case string:
			texts = append(texts, v)
		}
	}
}

// eachNode visits every object in a plan.
func eachNode(plan any, visit func(node map[string]any)) {
	switch plan := plan.(type) {
	case []any:
		for _, inner := range plan {
			eachNode(inner, visit)
		}
	case map[string]any:
		visit(plan)
		for _, inner := range plan {
			eachNode(inner, visit)
		}
	}
}

func amount(node map[string]any, name string) float64 {
	n, _ := node[name].(float64)
	return n
}

// explainMySQL asks MariaDB. What an index read and its condition refused is counted apart, for the whole statement.
func explainMySQL(ctx context.Context, c fullConn, query string, args []driver.NamedValue) (found []access, err error) {
	before, err := refusedByIndex(ctx, c)
	if err != nil {
		return nil, err
	}
	texts, err := ask(ctx, c, "ANALYZE FORMAT=JSON "+followed.ReplaceAllString(query, "TRUE"), args)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(texts[0], "\n") {
		field := mysqlField.FindStringSubmatch(line)
		if field == nil {
			continue
		}
		if field[1] == "table_name" {
			found = append(found, access{table: strings.Trim(field[2], `"`), loops: 1})
		} else if len(found) > 0 {
			found[len(found)-1].note(field[1], strings.Trim(field[2], `"`))
		}
	}
	found = slices.DeleteFunc(found, func(a access) bool { return a.how == "" || strings.HasPrefix(a.table, "<") })
	after, err := refusedByIndex(ctx, c)
	if more := after - before; more > 0 {
		found = append(found, access{table: "refused by an index", index: "?", rows: more})
	}
	return found, err
}

// followed is what a statement asks of the one before it, which to explain comes between.
var followed = regexp.MustCompile(`ROW_COUNT\(\) = \d+`)

// mysqlField is a field of a plan. It is not read as JSON, since it is none where a condition compares binary keys.
var mysqlField = regexp.MustCompile(`^\s*"(table_name|access_type|key|r_loops|r_rows)": (.*?),?$`)

// note takes a field of a table in a plan of MariaDB.
func (a *access) note(field, value string) {
	n, _ := strconv.ParseFloat(value, 64)
	switch field {
	case "access_type":
		if a.how = value; value == "const" {
			a.rows = 1 // which is read while the plan is made
		}
	case "key":
		a.index = value
	case "r_loops":
		a.loops = n
	case "r_rows":
		a.rows = max(a.rows, int64(n*a.loops+.5))
	}
	if a.how == "ALL" || a.how == "index" && a.rows > scanned {
		a.index = ""
	}
}

// scanned is how many rows of an index may be read in its order, by a statement that stops when it has enough.
const scanned = 100

func refusedByIndex(ctx context.Context, c fullConn) (refused int64, err error) {
	texts, err := ask(ctx, c, "SHOW SESSION STATUS LIKE 'Handler_icp_%'", nil)
	for i, text := range texts { // attempts, match
		n, wrong := strconv.ParseInt(text, 10, 64)
		err = errors.Join(err, wrong)
		refused += n * int64(1-2*i)
	}
	return refused, err
}

// explainPostgres asks PostgreSQL twice: for its plan with these arguments, and, after as many runs as it takes before a
// connection considers it, for the plan that it keeps for all arguments. The dearer one counts.
func explainPostgres(ctx context.Context, c fullConn, query string, args []driver.NamedValue) ([]access, error) {
	if err := run(ctx, c, "PREPARE explained AS "+query); err != nil {
		return nil, err
	}
	execute := "EXECUTE explained"
	if len(args) > 0 {
		execute += "(" + literals(args) + ")"
	}
	first, err := analyzePostgres(ctx, c, execute)
	for range 6 {
		if err == nil {
			_, err = ask(ctx, c, "EXPLAIN "+execute, nil)
		}
	}
	if err != nil {
		return nil, err
	}
	kept, err := analyzePostgres(ctx, c, execute)
	if sumOf(kept) > sumOf(first) {
		first = kept
	}
	return first, errors.Join(err, run(ctx, c, "DEALLOCATE explained"))
}

func sumOf(accesses []access) (rows int64) {
	for _, a := range accesses {
		rows += a.rows
	}
	return rows
}

func analyzePostgres(ctx context.Context, c fullConn, execute string) (found []access, err error) {
	if err := run(ctx, c, savepoint); err != nil {
		return nil, err
	}
	texts, err := ask(ctx, c, "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "+execute, nil)
	if err != nil {
		return nil, err
	}
	var plan any
	if err := json.Unmarshal([]byte(strings.Join(texts, "\n")), &plan); err != nil {
		return nil, err
	}
	eachNode(plan, func(node map[string]any) {
		table, _ := node["Relation Name"].(string)
		how, _ := node["Node Type"].(string)
		if table == "" || how == "ModifyTable" {
			return
		}
		a := access{table: table, pages: int64(amount(node, "Shared Hit Blocks") + amount(node, "Shared Read Blocks"))}
		each := amount(node, "Actual Rows") + amount(node, "Rows Removed by Filter") + amount(node, "Rows Removed by Index Recheck")
		a.rows = int64(each * amount(node, "Actual Loops"))
		a.index, _ = node["Index Name"].(string)
		if how == "Bitmap Heap Scan" {
			eachNode(node["Plans"], func(inner map[string]any) {
				if name, ok := inner["Index Name"].(string); ok {
					a.index = name
				}
			})
		}
		found = append(found, a)
	})
	return found, run(ctx, c, backToSavepoint...)
}

// literals writes arguments as PostgreSQL reads them.
func literals(args []driver.NamedValue) string {
	var list []string
	for _, arg := range args {
		list = append(list, literal(arg.Value))
	}
	return strings.Join(list, ", ")
}

func literal(v any) string {
	switch v := v.(type) {
	case []byte:
		return fmt.Sprintf(`'\x%x'::bytea`, v)
	case [][]byte:
		return array(v, "bytea")
	case []int64:
		return array(v, "bigint")
	case []bool:
		return array(v, "boolean")
	}
	return fmt.Sprint(v)
}

func array[T any](list []T, of string) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(literal(v))
	}
	return "ARRAY[" + b.String() + "]::" + of + "[]"
}
