package sqlstore

import (
	"database/sql"
	"log/slog"
	"time"
)

// Options say where the ledger is and how it is used. Driver and one of DSN and DB are required.
type Options struct {
	// Driver is "mysql", for MySQL and MariaDB, or "postgres".
	Driver string
	// DSN names the database, in the form of go-sql-driver/mysql or of pgx. TLS is as it says.
	DSN string
	// DB is a database that is open already; whoever opened it closes it, after the Store. Its own settings stay as they are:
	// it should give up on a server that does not answer, and with MySQL have interpolateParams set.
	DB *sql.DB
	// MaxConns bounds the connections; 0: 16. Not used with DB.
	MaxConns int
	// IdleConns is how many of them are kept open; 0: as many as MaxConns. Not used with DB.
	IdleConns int
	// ConnLifetime is when a connection is replaced, so that a server that came back gets its share; 0: 30 minutes. Not used with DB.
	ConnLifetime time.Duration
	// StatementTimeout bounds each read, and with one second more each trip of a commit; 0: 10 seconds.
	StatementTimeout time.Duration
	// StartTimeout bounds how long a server that does not answer is waited for; 0: only the caller's context does.
	StartTimeout time.Duration
	// NoMigrate leaves the tables as they are; Open then fails if they are not as this program needs them.
	NoMigrate bool
	// Sole, unless it is empty, is the name of a node that has the ledger to itself, without blanks: two such nodes never
	// write both, whatever becomes of them. Open refuses with ErrHeld while another one lives, and waits for one that does not
	// until its lease of five seconds is over. Without a name the ledger is shared, and not with such a node.
	Sole string
	// AllowUnsafe opens a ledger on a server whose settings may lose what was committed.
	AllowUnsafe bool
	// Log takes what nobody can be answered with; nil: the log is dropped.
	Log *slog.Logger
}

func (o *Options) defaults() {
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	if o.IdleConns == 0 {
		o.IdleConns = o.MaxConns
	}
	if o.ConnLifetime == 0 {
		o.ConnLifetime = 30 * time.Minute
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}
