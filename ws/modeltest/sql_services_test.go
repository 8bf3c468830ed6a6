//go:build services

package modeltest

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/yanlink/yanlink/clients/sqlstore"
	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

var sqlRuns = flag.Int("sqlruns", 5, "how many random runs the model test makes on each database server")

func TestModel_SQL(t *testing.T) {
	for driver, server := range map[string]*sqlServer{
		"mysql": {
			kind: services.MariaDB, pool: "mysql", schema: "DATABASE()",
			others: "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
		},
		"postgres": {
			kind: services.Postgres, pool: "pgx", schema: "current_schema()",
			others: `SELECT COUNT(*) FROM pg_stat_activity
				WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
		},
	} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			runAll(t, *sqlRuns, func(t *testing.T) newDisk {
				instance := services.Shared(t, server.kind)
				name := instance.NewDatabase(t)
				proxy := services.MustProxy(t, instance.Addr)
				direct := instance.DSN(name)
				options := sqlstore.Options{Driver: driver, DSN: strings.Replace(direct, instance.Addr, proxy.Addr, 1), MaxConns: 4}
				return func(uint64) disk {
					return &database{server: server, direct: direct, options: options, proxy: proxy, used: true}
				}
			})
		})
	}
}

// sqlServer is what differs between the database servers.
type sqlServer struct {
	kind   services.Kind
	pool   string // the driver's name in database/sql
	schema string // what the ledger's tables are in
	others string // asks for the number of connections besides one's own
}

// database is a disk on a database server. A crash cuts its node's connections, in the middle of whatever goes on in them.
type database struct {
	server  *sqlServer
	direct  string           // the database, without the proxy between
	options sqlstore.Options // as the node reaches it
	proxy   *services.Proxy
	used    bool // the rows of an earlier run are in it
}

func (d *database) open() (ws.Store, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	return sqlstore.Open(ctx, d.options)
}

func (d *database) cut()             { d.proxy.Cut() }
func (d *database) close(s ws.Store) { _ = s.Close() }

// prepare waits until the server is through with what the last node asked, and empties the tables for a new run.
func (d *database) prepare(ctx context.Context) (err error) {
	db, err := sql.Open(d.server.pool, d.direct)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	for others := 1; others > 0; {
		if err := db.QueryRowContext(ctx, d.server.others).Scan(&others); err != nil {
			return err
		}
	}
	if !d.used {
		return nil
	}
	d.used = false
	return d.empty(ctx, db)
}

// empty deletes all rows; opening the ledger makes anew those that have to be there.
func (d *database) empty(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = "+d.server.schema)
	if err != nil {
		return err
	}
	var tables []string
	for rows.Next() {
		var table string
		err = errors.Join(err, rows.Scan(&table))
		tables = append(tables, table)
	}
	err = errors.Join(err, rows.Err())
	for _, table := range tables {
		if err == nil {
			_, err = db.ExecContext(ctx, "DELETE FROM "+table)
		}
	}
	return err
}
