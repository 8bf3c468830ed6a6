package bench

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	_ "github.com/go-sql-driver/mysql" // clusters' databases
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/services"
)

// calls counts what the nodes have asked of their services so far, as the services themselves have counted it.
func (c *cluster) calls(ctx context.Context) (calls scenario.Calls, err error) {
	var errStatements, errTrips error
	calls.Statements, errStatements = statements(ctx, c.services[c.database].Instance)
	calls.Trips, errTrips = trips(ctx, c.services[services.Redis].Addr)
	errs := []error{errStatements, errTrips}
	for _, admin := range c.admins {
		sent, err := doorbells(ctx, admin)
		calls.Doorbells += sent
		errs = append(errs, err)
	}
	return calls, errors.Join(errs...)
}

// counter is how a database is asked how many statements it was sent. The question itself is one of them.
type counter struct {
	driver, database, query string
}

var counters = map[services.Kind]counter{
	services.MariaDB: {
		"mysql", services.Database,
		"SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'QUESTIONS'",
	},
	services.Postgres: {"pgx", "postgres", "SELECT sum(calls) FROM pg_stat_statements"},
}

// statements are all that the database was sent, what begins and ends transactions included.
func statements(ctx context.Context, database services.Instance) (n float64, err error) {
	how := counters[database.Kind]
	db, err := sql.Open(how.driver, database.DSN(how.database))
	if err != nil {
		return 0, fmt.Errorf("ask the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, how.query).Scan(&n); err != nil {
		return 0, fmt.Errorf("ask the database: %w", err)
	}
	return n, nil
}

// trips are how often Redis has read from its clients: what is sent together is read together.
func trips(ctx context.Context, addr string) (n float64, err error) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer func() { err = errors.Join(err, client.Close()) }()
	info, err := client.Info(ctx, "stats").Result()
	if err != nil {
		return 0, fmt.Errorf("ask Redis: %w", err)
	}
	_, rest, _ := strings.Cut(info, "total_reads_processed:")
	count, _, _ := strings.Cut(rest, "\r\n")
	return strconv.ParseFloat(count, 64)
}

// sentDoorbells is the node's count of messages that the broker was sent for other nodes.
const sentDoorbells = `yanlink_doorbells_total{outcome="sent"} `

func doorbells(ctx context.Context, admin string) (n float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("ask a node for its metrics: %w", err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if count, ok := strings.CutPrefix(lines.Text(), sentDoorbells); ok {
			return strconv.ParseFloat(count, 64)
		}
	}
	return 0, errors.Join(errors.New("a node's metrics say nothing of doorbells"), lines.Err())
}
