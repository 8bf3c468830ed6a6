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
	// Node is the name of the node that opens the ledger, without blanks. Until Close it keeps away nodes that want the ledger
	// to themselves; without a name nobody is kept away.
	Node string
	// Sole says that the node wants the ledger to itself: two such nodes, or one and others that share the ledger, never write
	// both, whatever becomes of them. Open refuses with ErrHeld or ErrShared while another one lives, and waits for one that does
	// not until its lease is over: five seconds, fifteen of a node that shares.
	Sole bool
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
