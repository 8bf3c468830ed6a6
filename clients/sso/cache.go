package sso

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// shortMemory is how long a refusal is remembered, and how long nobody is asked again about a token that goes on
// because nobody could be asked.
const shortMemory = 5 * time.Second

// CacheOptions are the settings of a Cache.
type CacheOptions struct {
	TTL     time.Duration // how long an accepted token is not asked about again; required
	Grace   time.Duration // how long, since it was last accepted, a token goes on while nobody can be asked
	Size    int           // tokens remembered; required
	Timeout time.Duration // of one question, whoever waits for it; required
	// Known tells what is remembered elsewhere of a token by its SHA-256: asked only while nobody else can be. It returns
	// ws.ErrCannotTell for a token it does not know. Any other error refuses the token. Nil: nothing is.
	//
	// It is asked too whether it has anything against an answer of Shared.
	Known func(ctx context.Context, hash [32]byte) (ws.Identity, error)
	// Shared remembers for all nodes what was accepted. Nil: each asks for itself.
	Shared Shared
	Clock  ws.Clock // default time.Now
}

// Cache is a ws.Authenticator that remembers what another one said.
type Cache struct {
	opt    CacheOptions
	next   ws.Authenticator
	answer *lru.Cache[[32]byte, answer]
	flight singleflight.Group
	shared *shared // nil: there is none

	mu       sync.Mutex // guards closed, and asking against Close
	closed   bool
	asking   sync.WaitGroup
	lifetime context.Context // ends with Close
	end      context.CancelFunc
}

// answer is what is remembered of a token.
type answer struct {
	identity ws.Identity
	err      error     // of a refused one
	until    time.Time // no question before
	accepted time.Time // when the one who knows last said yes
}

var _ ws.Authenticator = (*Cache)(nil)

// NewCache puts a Cache before next. The error tells of a Size that is none.
func NewCache(next ws.Authenticator, opt CacheOptions) (*Cache, error) {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	answers, err := lru.New[[32]byte, answer](opt.Size)
	if err != nil {
		return nil, fmt.Errorf("sso: %w", err)
	}
	c := &Cache{opt: opt, next: next, answer: answers}
	if opt.Shared != nil {
		c.shared = newShared(opt.Shared)
	}
	c.lifetime, c.end = context.WithCancel(context.Background())
	return c, nil
}

// Close cuts questions under way short and waits for them. What is remembered is still answered after it, and nobody is
// asked any more.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.asking.Wait()
}

// Authenticate answers from memory where it may, and asks once for all who wait for the same token.
func (c *Cache) Authenticate(ctx context.Context, credentials ws.Credentials) (ws.Identity, error) {
	hash := sha256.Sum256([]byte(credentials.Token))
	if known, ok := c.answer.Get(hash); ok && c.opt.Clock().Before(known.until) {
		return known.identity, known.err
	}
	waiting := c.flight.DoChan(string(hash[:]), func() (any, error) {
		if !c.begin() {
			return ws.Identity{}, fmt.Errorf("%w: closed", ws.ErrCannotTell)
		}
		defer c.asking.Done()
		// Whoever came first may go away; the others still wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opt.Timeout)
		defer cancel()
		defer context.AfterFunc(c.lifetime, cancel)()
		return c.ask(ctx, hash, credentials)
	})
	select {
	case got := <-waiting:
		identity, _ := got.Val.(ws.Identity)
		return identity, got.Err
	case <-ctx.Done():
		return ws.Identity{}, fmt.Errorf("%w: %w", ws.ErrCannotTell, ctx.Err())
	}
}

// begin notes a question under way, unless the Cache is closed.
func (c *Cache) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.asking.Add(1)
	return true
}

func (c *Cache) ask(ctx context.Context, hash [32]byte, credentials ws.Credentials) (ws.Identity, error) {
	if identity, ok := c.fromShared(ctx, hash); ok {
		return identity, nil
	}
	identity, err := c.next.Authenticate(ctx, credentials)
	now := c.opt.Clock()
	switch {
	case err == nil:
		c.answer.Add(hash, answer{identity: identity, until: earlier(now.Add(c.opt.TTL), identity.ExpiresAt), accepted: now})
		c.share(ctx, hash, identity, now)
	case refused(err):
		c.answer.Add(hash, answer{err: err, until: now.Add(shortMemory)})
		c.unshare(ctx, hash)
	case errors.As(err, new(*protocol.Error)): // somebody's own trouble, such as the ledger's, with a code of its own
	case errors.Is(err, ws.ErrCannotTell):
		return c.goOn(ctx, hash, now, err)
	default:
		return c.goOn(ctx, hash, now, fmt.Errorf("%w: %w", ws.ErrCannotTell, err))
	}
	return identity, err
}

// refused reports whether err says no to the token or to its user.
func refused(err error) bool {
	return errors.Is(err, ws.ErrInvalidToken) || errors.Is(err, protocol.NewError(protocol.Forbidden, ""))
}

// goOn decides about a token while nobody can be asked: one that was accepted not long ago still counts.
func (c *Cache) goOn(ctx context.Context, hash [32]byte, now time.Time, cause error) (ws.Identity, error) {
	remembered, ok := c.answer.Peek(hash)
	ok = ok && remembered.err == nil && now.Before(remembered.accepted.Add(c.opt.Grace)) && !ended(remembered.identity, now)
	if c.opt.Known != nil {
		identity, err := c.opt.Known(ctx, hash)
		switch {
		case err == nil && !ok:
			remembered, ok = answer{identity: identity, accepted: now}, true
		case err != nil && !errors.Is(err, ws.ErrCannotTell):
			c.answer.Remove(hash)
			return ws.Identity{}, err
		}
	}
	if !ok {
		return ws.Identity{}, cause
	}
	remembered.until = earlier(now.Add(shortMemory), remembered.identity.ExpiresAt)
	c.answer.Add(hash, remembered)
	return remembered.identity, nil
}

func ended(identity ws.Identity, now time.Time) bool {
	return !identity.ExpiresAt.IsZero() && !now.Before(identity.ExpiresAt)
}

// earlier returns a, or the end of a token that comes first; a zero end is none.
func earlier(a, end time.Time) time.Time {
	if !end.IsZero() && end.Before(a) {
		return end
	}
	return a
}
