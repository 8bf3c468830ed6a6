//go:build services

package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// fullConn is what both drivers' connections are.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
}

// lossy is a connector whose connections may lose the answer to a commit.
type lossy struct {
	driver.Connector
	lose    atomic.Bool // the next commit loses it
	late    bool        // the server goes on for a while, although the connection is gone
	holds   bool        // the commit had arrived
	pending sync.WaitGroup
}

func (l *lossy) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := l.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &lossyConn{fullConn: c.(fullConn), lossy: l}, nil
}

type lossyConn struct {
	fullConn
	lossy *lossy
	ended chan struct{} // closed when the server has ended a transaction late; nil: it did not
}

// Close closes the connection once the server has gone on.
func (c *lossyConn) Close() error {
	if c.ended == nil {
		return c.fullConn.Close()
	}
	c.lossy.pending.Go(func() {
		<-c.ended
		_ = c.fullConn.Close()
	})
	return nil
}

func (c *lossyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	// The transaction outlives its caller, as it does on a server that has not noticed yet.
	tx, err := c.fullConn.BeginTx(context.WithoutCancel(ctx), opts)
	return lossyTx{tx, c}, err
}

type lossyTx struct {
	driver.Tx
	conn *lossyConn
}

func (tx lossyTx) Commit() error { return tx.conn.end(tx.Tx.Commit, tx.Tx.Rollback) }

// end ends a transaction with a commit, or loses its answer.
func (c *lossyConn) end(commit, rollback func() error) error {
	l := c.lossy
	end := rollback
	if l.holds {
		end = commit
	}
	switch {
	case !l.lose.CompareAndSwap(true, false):
		return commit()
	case !l.late:
		_ = end()
	default:
		ended := make(chan struct{})
		c.ended = ended
		l.pending.Go(func() {
			defer close(ended)
			time.Sleep(300 * time.Millisecond)
			_ = end()
		})
	}
	return driver.ErrBadConn
}

// connectorOf is the connector of a database.
func connectorOf(t *testing.T, opt Options) driver.Connector {
	opt.defaults()
	d, err := dialectOf(opt.Driver, true)
	require.NoError(t, err)
	db, err := d.open(&opt)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return dsnConnector{db}
}

// dsnConnector opens a connection of a database as it would itself.
type dsnConnector struct{ db *sql.DB }

func (c dsnConnector) Driver() driver.Driver { return c.db.Driver() }

func (c dsnConnector) Connect(ctx context.Context) (raw driver.Conn, err error) {
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return raw, conn.Raw(func(v any) error {
		raw = v.(driver.Conn)
		return nil // the pool never sees it again, as conn is not closed
	})
}

// A commit whose answer is lost is told as what it was; one from memory is made again if it does not hold, even if it comes late.
func TestStore_LostAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, driverName string, server services.Instance) {
		for name, lost := range map[string]struct{ late, holds, joined bool }{
			"committed":           {holds: true},
			"neverArrived":        {},
			"stillUnderWay":       {late: true, holds: true},
			"rolledBackLate":      {late: true},
			"committedJoined":     {holds: true, joined: true},
			"neverArrivedJoined":  {joined: true},
			"stillUnderWayJoined": {late: true, holds: true, joined: true},
			"endedLateJoined":     {late: true, joined: true},
		} {
			for _, remembered := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/remembered=%t", name, remembered), func(t *testing.T) {
					opt := fresh(t, driverName, server)
					l := &lossy{Connector: connectorOf(t, opt), holds: lost.holds, late: lost.late}
					var s *Store
					if lost.joined {
						s = openOver(t, opt, func(c net.Conn) net.Conn { return &lossyWire{Conn: c, lossy: l} })
					} else {
						db := sql.OpenDB(l)
						db.SetMaxOpenConns(1)
						t.Cleanup(func() { _ = db.Close() })
						s = mustOpen(t, Options{Driver: driverName, DB: db, MaxConns: 2})
					}
					loseOne(t, s, l, remembered)
					mustHold(t, opt)
				})
			}
		}
	})
}

func loseOne(t *testing.T, s *Store, l *lossy, remembered bool) {
	send := func(body string) *ws.Send {
		return &ws.Send{To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", Body: body, CreatedAt: 1}}
	}
	first, lostOne := send("first"), send("lost")
	mustCommit(t, s, first)
	mustCommit(t, s, send("second"))
	if !remembered {
		s.memory.forget()
	}
	s.memory.left, s.memory.mistrust = 0, -1
	l.lose.Store(true)
	err := s.Commit(t.Context(), []ws.Op{lostOne})
	require.False(t, l.lose.Load())
	require.Equal(t, remembered, s.memory.mistrust != -1, "it was assumed")
	l.pending.Wait()
	bodies := []string{"first", "second", "lost", "last"}
	if l.holds || remembered {
		require.NoError(t, err)
		require.Equal(t, uint64(3), lostOne.Record.Seq)
	} else {
		require.ErrorIs(t, err, ws.ErrUnavailable)
		bodies = slices.Delete(bodies, 2, 3)
	}
	mustCommit(t, s, send("last"))
	page, err := s.Page(t.Context(), first.Record.Conversation, 1, 0, 10, 1000)
	require.NoError(t, err)
	found := []string{}
	for _, r := range page {
		found = append(found, r.Body)
	}
	require.Equal(t, bodies, found)
}

// Whoever has no more time for a commit under way is told so, and takes no lock with it; made again, the message stands once.
func TestStore_CommitOutOfTime(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		for _, remembered := range []bool{false, true} {
			t.Run(fmt.Sprintf("remembered=%t", remembered), func(t *testing.T) {
				opt := onePlace(t, driver, server)
				a := assumes(t, opt, mustOpen(t, opt))
				held, err := a.other.begin(t.Context())
				require.NoError(t, err)
				require.NoError(t, held.exec("UPDATE yanlink_writers SET used_at = used_at + 1"))
				require.NoError(t, held.answer())

				op := a.write("alice", "third")
				if !remembered {
					a.one.memory.forget()
				}
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				require.ErrorIs(t, a.one.Commit(ctx, []ws.Op{op}), ws.ErrUnavailable)
				require.NoError(t, held.Rollback())

				again := a.write("alice", "third")
				mustCommit(t, a.one, again)
				require.Equal(t, uint64(3), again.Record.Seq)
				mustHold(t, opt)
			})
		}
	})
}
