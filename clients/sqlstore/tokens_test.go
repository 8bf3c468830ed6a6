//go:build services

package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// counted is a connector that counts the queries of its connections.
type counted struct {
	driver.Connector
	queries atomic.Int64
}

func (c *counted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countedConn{conn.(fullConn), c}, nil
}

type countedConn struct {
	fullConn
	counted *counted
}

func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.counted.queries.Add(1)
	return c.fullConn.QueryContext(ctx, query, args)
}

func TestStore_Token(t *testing.T) {
	onEach(t, func(t *testing.T, driverName string, server services.Instance) {
		connector := &counted{Connector: connectorOf(t, fresh(t, driverName, server))}
		db := sql.OpenDB(connector)
		t.Cleanup(func() { _ = db.Close() })
		s := mustOpen(t, Options{Driver: driverName, DB: db})
		const known, strangers = 600, 20
		var ops []ws.Op
		for n := range known {
			ops = append(ops, &ws.AcceptToken{Token: ws.Token{Hash: tokenHash(n), OpenID: fmt.Sprint("user ", n), ExpiresAt: ws.Millis(n)}, At: 1})
		}
		require.NoError(t, s.Commit(t.Context(), ops))
		before := connector.queries.Load()
		var asking sync.WaitGroup
		for n := range known + strangers {
			asking.Go(func() {
				token, owner, err := s.Token(t.Context(), tokenHash(n))
				if n >= known {
					require.ErrorIs(t, err, ws.ErrNotFound)
					return
				}
				require.NoError(t, err)
				require.Equal(t, ws.Token{Hash: tokenHash(n), OpenID: fmt.Sprint("user ", n), ExpiresAt: ws.Millis(n)}, token)
				require.Equal(t, token.OpenID, owner.OpenID)
			})
		}
		asking.Wait()
		require.Less(t, connector.queries.Load()-before, int64(known/10), "many at one time are few statements")
		s.tokens.last = time.Now().Add(time.Second) // when the next question waits for
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := s.Token(ended, tokenHash(known+strangers))
		require.ErrorIs(t, err, ws.ErrUnavailable, "nobody waits longer than they want to")
	})
}

func tokenHash(n int) [32]byte { return [32]byte{byte(n), byte(n >> 8), 31: 1} }
