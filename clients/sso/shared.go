package sso

import (
	"context"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/yanlink/yanlink/ws"
)

const (
	// sharedTimeout bounds what a login loses by a Shared that does not answer; the one who knows is asked then. It leaves
	// room for the moment in which thousands come from a node that has died: those are to be no questions.
	sharedTimeout = 500 * time.Millisecond

	sharedBreakAfter = 3               // failures in a row after which it is left alone
	sharedBreakFor   = 5 * time.Second // for this long
)

// Shared remembers accepted tokens for all nodes, by their SHA-256: a client that moves to another node is no question
// to the one who knows. What it forgets costs a question.
type Shared interface {
	// Get returns what was put for a token and how long it still counts; 0 if it does not, or nothing was put.
	Get(ctx context.Context, hash [32]byte) (identity ws.Identity, left time.Duration, err error)
	// Put remembers an answer for as long.
	Put(ctx context.Context, hash [32]byte, identity ws.Identity, ttl time.Duration) error
	// Delete forgets a token that counts no more.
	Delete(ctx context.Context, hash [32]byte) error
}

// shared is a Shared of which nobody has to wait long.
type shared struct {
	Shared
	breaker *gobreaker.CircuitBreaker[time.Duration]
}

func newShared(s Shared) *shared {
	return &shared{Shared: s, breaker: gobreaker.NewCircuitBreaker[time.Duration](gobreaker.Settings{
		Name:        "shared answers of the sso",
		Timeout:     sharedBreakFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= sharedBreakAfter },
	})}
}

// try makes a call whose failure nobody has to know of: everything goes on without it.
func (s *shared) try(ctx context.Context, call func(ctx context.Context) (time.Duration, error)) (left time.Duration) {
	left, err := s.breaker.Execute(func() (time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, sharedTimeout)
		defer cancel()
		return call(ctx)
	})
	if err != nil {
		return 0
	}
	return left
}

// fromShared answers with what another node was told. The ledger is asked nonetheless, if there is one: it may have
// revoked the token since. Whatever speaks against the token, the one who knows decides.
func (c *Cache) fromShared(ctx context.Context, hash [32]byte) (identity ws.Identity, ok bool) {
	if c.shared == nil {
		return ws.Identity{}, false
	}
	left := c.shared.try(ctx, func(ctx context.Context) (left time.Duration, err error) {
		identity, left, err = c.shared.Get(ctx, hash)
		return min(left, c.opt.TTL), err
	})
	now, changes := c.opt.Clock(), c.changes()
	if left <= 0 || ended(identity, now) {
		return ws.Identity{}, false
	}
	if c.opt.Known != nil {
		known, err := c.opt.Known(ctx, hash)
		if err != nil || known.OpenID != identity.OpenID {
			return ws.Identity{}, false
		}
	}
	c.accept(hash, answer{
		identity: identity, until: earlier(now.Add(left), identity.ExpiresAt), accepted: now.Add(left - c.opt.TTL), held: now,
		changes: changes,
	})
	return identity, true
}

// share tells the other nodes that a token was accepted.
func (c *Cache) share(ctx context.Context, hash [32]byte, identity ws.Identity, now time.Time) {
	ttl := earlier(now.Add(c.opt.TTL), identity.ExpiresAt).Sub(now)
	if c.shared == nil || ttl <= 0 {
		return
	}
	c.shared.try(ctx, func(ctx context.Context) (time.Duration, error) {
		return 0, c.shared.Put(ctx, hash, identity, ttl)
	})
}

// unshare tells them that it was refused.
func (c *Cache) unshare(ctx context.Context, hash [32]byte) {
	if c.shared == nil {
		return
	}
	c.shared.try(ctx, func(ctx context.Context) (time.Duration, error) { return 0, c.shared.Delete(ctx, hash) })
}
