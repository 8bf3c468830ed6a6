//go:build services

package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// lossyWire is a connection on which a COMMIT goes with what comes before it: to lose the answer is to lose the wire.
type lossyWire struct {
	net.Conn
	lossy *lossy
	lost  atomic.Bool
}

// preparedCommit is how pgx names the statement once it is prepared.
var preparedCommit = func() string {
	digest := sha256.Sum256([]byte(sayCommit))
	return "stmtcache_" + hex.EncodeToString(digest[:24])
}()

// Write takes the COMMIT as if it were on its way; that it is lost shows when its answer is read, as it does in a network.
func (w *lossyWire) Write(b []byte) (int, error) {
	if w.lost.Load() {
		return 0, net.ErrClosed // no farewell either
	}
	l := w.lossy
	if !strings.Contains(string(b), preparedCommit) && !strings.HasSuffix(string(b), "; "+sayCommit) || !l.lose.CompareAndSwap(true, false) {
		return w.Conn.Write(b)
	}
	w.lost.Store(true)
	sent := slices.Clone(b)
	end := func() {
		if l.holds {
			_, _ = w.Conn.Write(sent)
			time.Sleep(100 * time.Millisecond) // until the server has read it
		}
		_ = w.Conn.Close()
	}
	if !l.late {
		end()
		return len(b), nil
	}
	l.pending.Go(func() {
		time.Sleep(300 * time.Millisecond)
		end()
	})
	return len(b), nil
}

func (w *lossyWire) Read(b []byte) (int, error) {
	if w.lost.Load() {
		return 0, io.EOF
	}
	return w.Conn.Read(b)
}

// Close closes the connection once the server has gone on.
func (w *lossyWire) Close() error {
	if w.lost.Load() {
		return nil
	}
	return w.Conn.Close()
}

// openOver opens a ledger whose connections are the dialect's own, one at a time and with one writer, on wires that the test sees.
func openOver(t *testing.T, opt Options, wire func(c net.Conn) net.Conn) *Store {
	t.Helper()
	opt.defaults()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wire(c), nil
	}
	d, err := dialectOf(opt.Driver, true)
	require.NoError(t, err)
	var db *sql.DB
	switch d := d.(type) {
	case postgres:
		cfg, err := d.config(&opt)
		require.NoError(t, err)
		cfg.DialFunc = dial
		db = d.over(cfg)
	case mysqlDialect:
		cfg, err := d.config(&opt)
		require.NoError(t, err)
		cfg.DialFunc = dial
		db, err = d.over(cfg)
		require.NoError(t, err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	s := mustOpen(t, Options{Driver: opt.Driver, DB: db, MaxConns: 2})
	s.dialect = d
	return s
}

// countingWire counts the trips that begin on it: what a driver sends before it waits for an answer is one write.
type countingWire struct {
	net.Conn
	trips *atomic.Int64
}

func (w countingWire) Write(b []byte) (int, error) {
	w.trips.Add(1)
	return w.Conn.Write(b)
}

// A commit is one trip that begins it and reads, and one that writes and commits it; where all that it needs is remembered, it is one.
func TestStore_Trips(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		var trips atomic.Int64
		s := openOver(t, fresh(t, driver, server), func(c net.Conn) net.Conn { return countingWire{c, &trips} })
		send := func() *ws.Send {
			return &ws.Send{To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", Body: "hello", CreatedAt: 1}}
		}
		for range 3 {
			mustCommit(t, s, send())
		}
		count := func() int64 {
			time.Sleep(restedFor + 100*time.Millisecond) // nor does one that rested take more
			before := trips.Load()
			mustCommit(t, s, send(), send())
			return trips.Load() - before
		}
		require.Equal(t, int64(1), count())
		s.memory.forget()
		require.Equal(t, int64(2), count())
	})
}

// A list that commits is not run again when its answer is lost, even if it began its transaction too.
func TestSpoken_LostAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		l := &lossy{holds: true}
		s := openOver(t, fresh(t, driver, server), func(c net.Conn) net.Conn { return &lossyWire{Conn: c, lossy: l} })
		count := func() error {
			return s.within(t.Context(), func(tx *transaction) error {
				return tx.exec("UPDATE yanlink_counters SET next_id = next_id + 1000 WHERE name = 'scheduled'")
			})
		}
		require.NoError(t, count())
		l.lose.Store(true)
		require.Error(t, count())
		require.False(t, l.lose.Load())
		var next int64
		require.NoError(t, s.db.QueryRowContext(t.Context(), "SELECT next_id FROM yanlink_counters WHERE name = 'scheduled'").Scan(&next))
		require.Equal(t, int64(2001), next)
	})
}
