package services

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The account of both database servers, which may create databases, and the one that it finds.
const (
	User     = "yanlink"
	Password = "yanlink"
	Database = "yanlink"
)

const databaseWait = 30 * time.Second

// DSN is what go-sql-driver/mysql or pgx takes to open the database of that name.
func (i Instance) DSN(database string) string {
	switch i.Kind {
	case MariaDB:
		return fmt.Sprintf("%s:%s@tcp(%s)/%s?parseTime=true", User, Password, i.Addr, database)
	case Postgres:
		return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", User, Password, i.Addr, database)
	}
	panic(fmt.Sprintf("services: %s has no databases", i.Kind))
}

// NewDatabase makes an empty database with a name nobody has had, for [Instance.DSN], and drops it after the test.
func (i Instance) NewDatabase(tb testing.TB) string {
	tb.Helper()
	name := "yanlink_" + strings.ToLower(rand.Text())
	if err := i.administer("CREATE DATABASE " + name); err != nil {
		tb.Fatalf("create a database: %v", err)
	}
	drop := "DROP DATABASE " + name
	if i.Kind == Postgres {
		drop += " WITH (FORCE)" // though the test has left connections open
	}
	tb.Cleanup(func() {
		if err := i.administer(drop); err != nil {
			tb.Logf("the database %s stays, since it cannot be dropped: %v", name, err)
		}
	})
	return name
}

func (i Instance) administer(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseWait)
	defer cancel()
	_, err := i.query(ctx, statement)
	return err
}

// selectOne is a database's ready check.
func selectOne(ctx context.Context, i Instance) error {
	answer, err := i.query(ctx, "SELECT 1")
	if err == nil && answer != "1" {
		err = fmt.Errorf("it answers SELECT 1 with %q", answer)
	}
	return err
}

// query runs one statement in [Database] through the server's own command line client, so that this package needs no
// driver, and returns the rows as lines.
func (i Instance) query(ctx context.Context, statement string) (string, error) {
	var cmd *exec.Cmd
	switch i.Kind {
	case MariaDB:
		cmd = exec.CommandContext(ctx, locate("mariadb"), "--no-defaults", "--protocol=tcp", "--batch", "--skip-column-names",
			"--host="+i.host(), "--port="+i.port(), "--user="+User, "--database="+Database, "--execute="+statement)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+Password)
	case Postgres:
		cmd = exec.CommandContext(ctx, locate("psql"), "--no-psqlrc", "--no-password", "--no-align", "--tuples-only",
			"--host="+i.host(), "--port="+i.port(), "--username="+User, "--dbname="+Database, "--command="+statement)
		cmd.Env = append(os.Environ(), "PGPASSWORD="+Password)
	default:
		return "", fmt.Errorf("%s has no databases", i.Kind)
	}
	return output(cmd)
}
