package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// The migrations: file number n brings the tables to format n. MySQL cannot take a change of tables back, so each statement
// does nothing where it was done before.
//
//go:embed migrations
var migrations embed.FS

// format is the number of the tables' layout that this program reads and writes. A release that changes them adds a
// migration and raises it.
const format = 3

var (
	// ErrNewerFormat says that a newer program has made the tables.
	ErrNewerFormat = errors.New("the ledger has a newer format")
	// ErrNotMigrated says that the tables are not there, or are an older program's.
	ErrNotMigrated = errors.New("the ledger's tables are not as this program needs them")
)

// Migrate makes the tables, or changes those of an older program, in the database that opt names. Nodes that start at the
// same time wait for each other. It returns what the ledger then says of itself. Open does the same unless opt.NoMigrate
// is set.
func Migrate(ctx context.Context, opt Options) (info ws.LedgerInfo, err error) {
	s, err := connectSoon(ctx, opt)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.migrate(ctx); err != nil {
		return info, err
	}
	return s.inform(ctx, s.db)
}

func (s *Store) migrate(ctx context.Context) (err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := s.dialect.lock(ctx, conn); err != nil {
		return fmt.Errorf("the lock for changing the ledger's tables: %w", err)
	}
	defer func() { err = errors.Join(err, s.dialect.unlock(context.WithoutCancel(ctx), conn)) }()
	info, err := s.inform(ctx, conn)
	if err != nil {
		return err
	}
	for n := info.Format + 1; n <= format; n++ {
		s.log.Info("the ledger's tables are brought to a new format", "format", n)
		if err := s.step(ctx, conn, n); err != nil {
			return fmt.Errorf("bringing the ledger's tables to format %d: %w", n, err)
		}
	}
	return nil
}

// step runs one migration and notes its number.
func (s *Store) step(ctx context.Context, conn *sql.Conn, n uint32) error {
	files, err := migrations.ReadDir("migrations/" + s.dialect.name())
	if err != nil {
		return err
	}
	text, err := migrations.ReadFile("migrations/" + s.dialect.name() + "/" + files[n-1].Name())
	if err != nil {
		return err
	}
	statements := strings.Split(string(text), ";\n")
	for _, statement := range append(statements,
		"CREATE TABLE IF NOT EXISTS yanlink_ledger (id smallint NOT NULL, format integer NOT NULL, epoch bigint NOT NULL, PRIMARY KEY (id))",
		fmt.Sprintf("INSERT INTO yanlink_ledger (id, format, epoch) SELECT 1, %d, 1 WHERE NOT EXISTS (SELECT 1 FROM yanlink_ledger)", n),
	) {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if n == secretFormat {
		if err := s.makeSecret(ctx, conn); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("UPDATE yanlink_ledger SET format = %d", n))
	return err
}

// querier is a database or one of its connections.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// inform reads what the ledger says of itself; format 0 is a ledger that is not there.
func (s *Store) inform(ctx context.Context, db querier) (info ws.LedgerInfo, err error) {
	var tables int64
	rows, err := db.QueryContext(ctx, `SELECT COUNT(*) FROM information_schema.tables
		WHERE table_name = 'yanlink_ledger' AND table_schema = `+s.dialect.schema())
	if err := each(rows, err, func(rows scanner) error { return rows.Scan(&tables) }); err != nil || tables == 0 {
		return info, err
	}
	rows, err = db.QueryContext(ctx, "SELECT format, epoch FROM yanlink_ledger")
	err = each(rows, err, func(rows scanner) error { return rows.Scan(number(&info.Format), number(&info.Epoch)) })
	switch {
	case err != nil:
	case info.Format == importing:
		err = fmt.Errorf("%w; if none is under way, drop the database and begin it anew", ErrImporting)
	case info.Format > format:
		err = fmt.Errorf("%w: it has number %d, and this program knows %d; start the newer program", ErrNewerFormat, info.Format, format)
	}
	return info, err
}
