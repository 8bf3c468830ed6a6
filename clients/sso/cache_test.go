package sso_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// oracle is an Authenticator that says what it is told to and counts its calls.
type oracle struct {
	calls    atomic.Int64
	identity ws.Identity
	err      error
	hold     chan struct{}
	panics   bool
}

func (o *oracle) Authenticate(ctx context.Context, _ ws.Credentials) (ws.Identity, error) {
	o.calls.Add(1)
	if o.hold != nil {
		select {
		case <-o.hold:
		case <-ctx.Done():
			return ws.Identity{}, ctx.Err()
		}
	}
	if o.panics {
		panic("of the host, about the token")
	}
	if o.err != nil {
		return ws.Identity{}, o.err
	}
	return o.identity, nil
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time           { return c.at }
func (c *clock) advance(by time.Duration) { c.at = c.at.Add(by) }

func newCache(t *testing.T, next ws.Authenticator, c *clock, change func(*sso.CacheOptions)) *sso.Cache {
	t.Helper()
	opt := sso.CacheOptions{TTL: time.Minute, Grace: time.Hour, Size: 100, Timeout: 5 * time.Second, Clock: c.now}
	if change != nil {
		change(&opt)
	}
	cache, err := sso.NewCache(next, opt)
	require.NoError(t, err)
	return cache
}

func TestCache_Accepted(t *testing.T) {
	o, at := &oracle{identity: ws.Identity{OpenID: "alice"}}, &clock{now}
	c := newCache(t, o, at, nil)
	for range 3 {
		got, err := ask(c, "t")
		require.NoError(t, err)
		require.Equal(t, "alice", got.OpenID)
		at.advance(19 * time.Second)
	}
	require.EqualValues(t, 1, o.calls.Load())
	at.advance(4 * time.Second)
	_, err := ask(c, "t")
	require.NoError(t, err)
	require.EqualValues(t, 2, o.calls.Load(), "after the TTL it is asked again")
	_, err = ask(c, "other")
	require.NoError(t, err)
	require.EqualValues(t, 3, o.calls.Load())
}

func TestCache_NotPastItsEnd(t *testing.T) {
	o, at := &oracle{identity: ws.Identity{OpenID: "alice", ExpiresAt: now.Add(10 * time.Second)}}, &clock{now}
	c := newCache(t, o, at, nil)
	_, err := ask(c, "t")
	require.NoError(t, err)
	at.advance(11 * time.Second)
	o.err = ws.ErrInvalidToken
	_, err = ask(c, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken)

	t.Run("NotEvenInGrace", func(t *testing.T) {
		o, at := &oracle{identity: ws.Identity{OpenID: "alice", ExpiresAt: now.Add(10 * time.Second)}}, &clock{now}
		c := newCache(t, o, at, nil)
		_, err := ask(c, "t")
		require.NoError(t, err)
		at.advance(11 * time.Second)
		o.err = ws.ErrCannotTell
		_, err = ask(c, "t")
		require.ErrorIs(t, err, ws.ErrCannotTell)
	})
}

func TestCache_Refused(t *testing.T) {
	for _, refusal := range []error{ws.ErrInvalidToken, protocol.NewError(protocol.Forbidden, "banned")} {
		o, at := &oracle{err: refusal}, &clock{now}
		c := newCache(t, o, at, nil)
		for range 3 {
			_, err := ask(c, "t")
			require.ErrorIs(t, err, refusal)
		}
		require.EqualValues(t, 1, o.calls.Load())
		at.advance(5 * time.Second)
		o.err = nil
		_, err := ask(c, "t")
		require.NoError(t, err, "a refusal is not remembered for long")
	}
}

func TestCache_OneQuestionForAll(t *testing.T) {
	o := &oracle{identity: ws.Identity{OpenID: "alice"}, hold: make(chan struct{})}
	c := newCache(t, o, &clock{now}, nil)
	first, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		_, err := c.Authenticate(first, ws.Credentials{Token: "t"})
		gone <- err
	}()
	require.Eventually(t, func() bool { return o.calls.Load() == 1 }, 10*time.Second, time.Millisecond)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			got, err := ask(c, "t")
			require.NoError(t, err)
			require.Equal(t, "alice", got.OpenID)
		})
	}
	cancel()
	require.ErrorIs(t, <-gone, ws.ErrCannotTell, "whoever gives up does not wait")
	close(o.hold)
	wg.Wait()
	require.EqualValues(t, 1, o.calls.Load())
}

func TestCache_Grace(t *testing.T) {
	for _, trouble := range []error{ws.ErrCannotTell, errors.New("an error without a type")} {
		o, at := &oracle{identity: ws.Identity{OpenID: "alice", Roles: []string{"admin"}}}, &clock{now}
		c := newCache(t, o, at, nil)
		_, err := ask(c, "t")
		require.NoError(t, err)
		o.err = trouble
		at.advance(59 * time.Minute)
		got, err := ask(c, "t")
		require.NoError(t, err, "a known token goes on")
		require.Equal(t, []string{"admin"}, got.Roles)
		calls := o.calls.Load()
		_, err = ask(c, "t")
		require.NoError(t, err)
		require.Equal(t, calls, o.calls.Load(), "and asks no more than now and then")
		_, err = ask(c, "new")
		require.ErrorIs(t, err, ws.ErrCannotTell)
		at.advance(2 * time.Minute)
		_, err = ask(c, "t")
		require.ErrorIs(t, err, ws.ErrCannotTell, "but not for ever")
	}
}

func TestCache_Panic(t *testing.T) {
	o, at := &oracle{identity: ws.Identity{OpenID: "alice"}}, &clock{now}
	c := newCache(t, o, at, nil)
	_, err := ask(c, "t")
	require.NoError(t, err)
	o.panics = true
	at.advance(2 * time.Minute)
	_, err = ask(c, "t")
	require.NoError(t, err, "a known token goes on")
	_, err = ask(c, "new")
	require.ErrorIs(t, err, ws.ErrCannotTell)
	require.NotContains(t, err.Error(), "about the token")
}

func TestCache_Known(t *testing.T) {
	o, at := &oracle{err: ws.ErrCannotTell}, &clock{now}
	var known error
	c := newCache(t, o, at, func(opt *sso.CacheOptions) {
		opt.Known = func(_ context.Context, hash [32]byte) (ws.Identity, error) {
			if hash != sha256.Sum256([]byte("t")) {
				return ws.Identity{}, ws.ErrCannotTell
			}
			return ws.Identity{OpenID: "alice", ExpiresAt: now.Add(time.Hour)}, known
		}
	})
	got, err := ask(c, "t")
	require.NoError(t, err)
	require.Equal(t, "alice", got.OpenID)
	_, err = ask(c, "other")
	require.ErrorIs(t, err, ws.ErrCannotTell)

	at.advance(10 * time.Second)
	known = ws.ErrInvalidToken
	_, err = ask(c, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken, "what was revoked does not go on")
}

func TestCache_TroubleOfItsOwnIsNotRemembered(t *testing.T) {
	o := &oracle{err: ws.ErrUnavailable}
	c := newCache(t, o, &clock{now}, nil)
	_, err := ask(c, "t")
	require.ErrorIs(t, err, ws.ErrUnavailable)
	o.err, o.identity.OpenID = nil, "alice"
	_, err = ask(c, "t")
	require.NoError(t, err)
}

func TestCache_Bounded(t *testing.T) {
	o := &oracle{identity: ws.Identity{OpenID: "alice"}}
	c := newCache(t, o, &clock{now}, func(opt *sso.CacheOptions) { opt.Size = 2 })
	for _, token := range []string{"a", "b", "c", "a"} {
		_, err := ask(c, token)
		require.NoError(t, err)
	}
	require.EqualValues(t, 4, o.calls.Load(), "the oldest is forgotten")

	_, err := sso.NewCache(o, sso.CacheOptions{})
	require.Error(t, err)
}

// byToken says no to every token but those of known, and counts its calls.
type byToken struct {
	calls atomic.Int64
	known map[string]bool
}

func (b *byToken) Authenticate(_ context.Context, credentials ws.Credentials) (ws.Identity, error) {
	b.calls.Add(1)
	if b.known[credentials.Token] {
		return ws.Identity{OpenID: credentials.Token}, nil
	}
	return ws.Identity{}, ws.ErrInvalidToken
}

// However many tokens somebody makes up, those that are known are remembered, and the refusals of the newest.
func TestCache_RefusalsApart(t *testing.T) {
	b := &byToken{known: map[string]bool{"alice": true}}
	c := newCache(t, b, &clock{now}, func(opt *sso.CacheOptions) { opt.Size = 20 })
	who, err := ask(c, "alice")
	require.NoError(t, err)
	require.Equal(t, "alice", who.OpenID)
	for i := range 100 {
		_, err := ask(c, fmt.Sprint(i))
		require.ErrorIs(t, err, ws.ErrInvalidToken)
	}
	_, err = ask(c, "99")
	require.ErrorIs(t, err, ws.ErrInvalidToken)
	_, err = ask(c, "alice")
	require.NoError(t, err)
	require.EqualValues(t, 101, b.calls.Load(), "nobody had to be asked again")
	_, err = ask(c, "97")
	require.ErrorIs(t, err, ws.ErrInvalidToken)
	require.EqualValues(t, 102, b.calls.Load(), "but refusals are bounded")
}

// One answer counts for a token: the last one.
func TestCache_RefusedAndAccepted(t *testing.T) {
	b, at := &byToken{known: map[string]bool{}}, &clock{now}
	c := newCache(t, b, at, nil)
	for range 3 {
		_, err := ask(c, "alice")
		require.ErrorIs(t, err, ws.ErrInvalidToken)
		at.advance(5 * time.Second)
		b.known["alice"] = true
		_, err = ask(c, "alice")
		require.NoError(t, err)
		at.advance(time.Minute)
		b.known["alice"] = false
	}
	require.EqualValues(t, 6, b.calls.Load())
}

func TestCache_Close(t *testing.T) {
	o := &oracle{identity: ws.Identity{OpenID: "alice"}}
	c := newCache(t, o, &clock{now}, func(opt *sso.CacheOptions) { opt.Timeout = time.Hour })
	_, err := ask(c, "known")
	require.NoError(t, err)
	o.hold = make(chan struct{})
	asked := make(chan error, 1)
	go func() {
		_, err := ask(c, "t")
		asked <- err
	}()
	require.Eventually(t, func() bool { return o.calls.Load() == 2 }, 10*time.Second, time.Millisecond)
	closed := make(chan struct{})
	go func() {
		c.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		require.Fail(t, "Close waits for what nobody ends")
	}
	require.ErrorIs(t, <-asked, ws.ErrCannotTell, "a question under way is cut short")
	_, err = ask(c, "other")
	require.ErrorIs(t, err, ws.ErrCannotTell)
	require.EqualValues(t, 2, o.calls.Load(), "nobody is asked any more")
	_, err = ask(c, "known")
	require.NoError(t, err)
}

// A remembered answer is held against the ledger each second, and nobody asks the one who knows for it.
func TestCache_HeldAgainstTheLedger(t *testing.T) {
	o, at := &oracle{identity: ws.Identity{OpenID: "alice"}}, &clock{now}
	var looks atomic.Int64
	var against error
	c := newCache(t, o, at, func(opt *sso.CacheOptions) {
		opt.Known = func(context.Context, [32]byte) (ws.Identity, error) {
			looks.Add(1)
			return ws.Identity{OpenID: "alice"}, against
		}
	})
	for range 8 { // in quarters of a second
		_, err := ask(c, "t")
		require.NoError(t, err)
		at.advance(time.Second / 4)
	}
	require.EqualValues(t, 1, looks.Load())
	against = errors.New("the ledger cannot be read")
	_, err := ask(c, "t")
	require.NoError(t, err, "what is remembered goes on")
	for _, no := range []error{ws.ErrInvalidToken, protocol.NewError(protocol.Forbidden, "banned")} {
		against = no
		at.advance(950 * time.Millisecond) // not a second: the look takes time too
		_, err = ask(c, "t")
		require.ErrorIs(t, err, no)
		_, err = ask(c, "t")
		require.ErrorIs(t, err, no, "and is remembered")
		against = nil
		at.advance(5 * time.Second)
		_, err = ask(c, "t")
		require.NoError(t, err)
	}
	require.EqualValues(t, 3, o.calls.Load())
}

// Where changes are counted, a remembered answer is held against the ledger after each, however much time passes.
func TestCache_HeldAfterChanges(t *testing.T) {
	o, at := &oracle{identity: ws.Identity{OpenID: "alice"}}, &clock{now}
	var looks, changes atomic.Uint64
	var against error
	c := newCache(t, o, at, func(opt *sso.CacheOptions) {
		opt.Known = func(context.Context, [32]byte) (ws.Identity, error) {
			looks.Add(1)
			return ws.Identity{OpenID: "alice"}, against
		}
		opt.Changes = changes.Load
	})
	for range 3 {
		_, err := ask(c, "t")
		require.NoError(t, err)
		at.advance(2 * time.Second)
	}
	require.Zero(t, looks.Load())
	for range 2 {
		changes.Add(1)
		for range 2 {
			_, err := ask(c, "t")
			require.NoError(t, err)
		}
	}
	require.EqualValues(t, 2, looks.Load())
	against = ws.ErrInvalidToken
	changes.Add(1)
	_, err := ask(c, "t")
	require.ErrorIs(t, err, ws.ErrInvalidToken)
	require.EqualValues(t, 1, o.calls.Load())
}
