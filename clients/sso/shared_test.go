package sso_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/ws"
)

// board is a Shared of one process.
type board struct {
	clock *clock
	mu    sync.Mutex
	notes map[[32]byte]note
	calls int
	fault func(ctx context.Context) error
}

type note struct {
	identity ws.Identity
	until    time.Time
}

func newBoard(c *clock) *board { return &board{clock: c, notes: make(map[[32]byte]note)} }

func (b *board) call(ctx context.Context, f func()) error {
	b.mu.Lock()
	b.calls++
	fault := b.fault
	b.mu.Unlock()
	if fault != nil {
		if err := fault(ctx); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	return nil
}

func (b *board) Get(ctx context.Context, hash [32]byte) (identity ws.Identity, left time.Duration, err error) {
	err = b.call(ctx, func() { identity, left = b.notes[hash].identity, b.notes[hash].until.Sub(b.clock.now()) })
	return identity, max(0, left), err
}

func (b *board) Put(ctx context.Context, hash [32]byte, identity ws.Identity, ttl time.Duration) error {
	return b.call(ctx, func() { b.notes[hash] = note{identity, b.clock.now().Add(ttl)} })
}

func (b *board) Delete(ctx context.Context, hash [32]byte) error {
	return b.call(ctx, func() { delete(b.notes, hash) })
}

// twoNodes are caches that share a board and ask the same oracle.
func twoNodes(t *testing.T, o *oracle, change func(*sso.CacheOptions)) (one, other *sso.Cache, shared *board, at *clock) {
	at = &clock{now}
	shared = newBoard(at)
	with := func(opt *sso.CacheOptions) {
		opt.Shared = shared
		if change != nil {
			change(opt)
		}
	}
	return newCache(t, o, at, with), newCache(t, o, at, with), shared, at
}

func TestCache_Shared(t *testing.T) {
	alice := ws.Identity{OpenID: "alice", Roles: []string{"admin"}}
	o := &oracle{identity: alice}
	one, other, _, at := twoNodes(t, o, nil)
	_, err := ask(one, "t")
	require.NoError(t, err)
	at.advance(50 * time.Second)
	for range 2 {
		got, err := ask(other, "t")
		require.NoError(t, err)
		require.Equal(t, alice, got)
	}
	require.EqualValues(t, 1, o.calls.Load())

	at.advance(11 * time.Second)
	o.err = ws.ErrInvalidToken
	_, err = ask(other, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken, "an answer lasts no longer for having been shared")
}

func TestCache_SharedRefusal(t *testing.T) {
	o := &oracle{identity: ws.Identity{OpenID: "alice"}}
	one, other, shared, at := twoNodes(t, o, nil)
	_, err := ask(one, "t")
	require.NoError(t, err)
	require.Len(t, shared.notes, 1)
	at.advance(30 * time.Second)
	shared.fault = func(context.Context) error { return errors.New("down") }
	o.err = ws.ErrInvalidToken
	_, err = ask(other, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken)

	shared.fault = nil
	at.advance(5 * time.Second)
	o.err = nil
	_, err = ask(other, "new")
	require.NoError(t, err)
	require.Len(t, shared.notes, 2)
	at.advance(61 * time.Second)
	o.err = ws.ErrInvalidToken
	_, err = ask(one, "new")
	require.ErrorIs(t, err, ws.ErrInvalidToken)
	require.Len(t, shared.notes, 1, "who is refused is forgotten everywhere")
}

func TestCache_SharedButEnded(t *testing.T) {
	o := &oracle{identity: ws.Identity{OpenID: "alice", ExpiresAt: now.Add(10 * time.Second)}}
	one, other, shared, at := twoNodes(t, o, nil)
	_, err := ask(one, "t")
	require.NoError(t, err)
	for hash, n := range shared.notes {
		require.Equal(t, now.Add(10*time.Second), n.until)
		shared.notes[hash] = note{n.identity, now.Add(time.Hour)}
	}
	at.advance(10 * time.Second)
	o.err = ws.ErrInvalidToken
	_, err = ask(other, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken)
}

// The ledger has the last word on a shared answer.
func TestCache_SharedButRevoked(t *testing.T) {
	var revoked error
	o := &oracle{identity: ws.Identity{OpenID: "alice"}}
	one, other, shared, _ := twoNodes(t, o, func(opt *sso.CacheOptions) {
		opt.Known = func(context.Context, [32]byte) (ws.Identity, error) { return o.identity, revoked }
	})
	_, err := ask(one, "t")
	require.NoError(t, err)
	revoked, o.err = ws.ErrInvalidToken, ws.ErrInvalidToken
	_, err = ask(other, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken)
	require.Empty(t, shared.notes)
}

// Nor is a token anybody's but the one's whose the ledger says it is.
func TestCache_SharedButAnothers(t *testing.T) {
	o := &oracle{identity: ws.Identity{OpenID: "alice"}}
	one, other, shared, _ := twoNodes(t, o, func(opt *sso.CacheOptions) {
		opt.Known = func(context.Context, [32]byte) (ws.Identity, error) { return o.identity, nil }
	})
	_, err := ask(one, "t")
	require.NoError(t, err)
	for hash, n := range shared.notes {
		shared.notes[hash] = note{ws.Identity{OpenID: "mallory"}, n.until}
	}
	identity, err := ask(other, "t")
	require.NoError(t, err)
	require.Equal(t, o.identity, identity)
}

// A Shared that has much to do, as when a node has died, still saves the questions.
func TestCache_SharedSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{identity: ws.Identity{OpenID: "alice"}}
		one, other, shared, _ := twoNodes(t, o, nil)
		shared.fault = func(ctx context.Context) error {
			time.Sleep(200 * time.Millisecond)
			return ctx.Err()
		}
		for _, c := range []*sso.Cache{one, other} {
			_, err := ask(c, "t")
			require.NoError(t, err)
		}
		require.EqualValues(t, 1, o.calls.Load())
	})
}

// Nobody waits long for a Shared that does not answer, and after a few who did, nobody at all for a while.
func TestCache_SharedHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{identity: ws.Identity{OpenID: "alice"}}
		c, _, shared, _ := twoNodes(t, o, nil)
		shared.fault = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()
		for _, token := range []string{"a", "b", "c", "d", "e"} {
			_, err := ask(c, token)
			require.NoError(t, err)
		}
		require.Equal(t, 1500*time.Millisecond, time.Since(began))
		require.Equal(t, 3, shared.calls)

		shared.fault = nil
		time.Sleep(5*time.Second + time.Millisecond)
		_, err := ask(c, "f")
		require.NoError(t, err)
		require.Len(t, shared.notes, 1, "it is used again")
	})
}
