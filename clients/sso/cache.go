package sso

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
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

const (
	// heldFor is how long an answer counts without a look at what is known elsewhere, where a token may have been revoked
	// and its user banned, unless somebody counts that. That counts within a second, of which the look takes some.
	heldFor = 900 * time.Millisecond
	// holdTimeout bounds that look: while it cannot be had, what is remembered goes on.
	holdTimeout = time.Second
)

// CacheOptions are the settings of a Cache.
type CacheOptions struct {
	TTL     time.Duration // how long an accepted token is not asked about again; required
	Grace   time.Duration // how long, since it was last accepted, a token goes on while nobody can be asked
	Size    int           // accepted tokens remembered, and a tenth as many refused ones; required
	Timeout time.Duration // of one question, whoever waits for it; required
	// Known tells what is remembered elsewhere of a token by its SHA-256: asked only while nobody else can be. It returns
	// ws.ErrCannotTell for a token it does not know. Any other error refuses the token. Nil: nothing is.
	//
	// It is asked too whether it has anything against an answer of Shared, and against one that is remembered: each second,
	// or after Changes.
	Known func(ctx context.Context, hash [32]byte) (ws.Identity, error)
	// Changes counts what may have turned Known against a token, where all of it is seen from here. It has to be quick. Nil:
	// nobody counts.
	Changes func() uint64
	// Shared remembers for all nodes what was accepted. Nil: each asks for itself.
	Shared Shared
	Clock  ws.Clock     // default time.Now
	Log    *slog.Logger // of panics of who is asked; nil: nowhere
}

// Cache is a ws.Authenticator that remembers what another one said.
type Cache struct {
	opt     CacheOptions
	next    ws.Authenticator
	answer  *lru.Cache[[32]byte, answer]
	refusal *lru.Cache[[32]byte, answer] // apart: whoever makes tokens up must not push out those that are known
	flight  singleflight.Group
	shared  *shared // nil: there is none

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
	held     time.Time // when Known was last seen to have nothing against it
	changes  uint64    // up to which change it was seen
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
	refusals, err := lru.New[[32]byte, answer](max(opt.Size/10, 1))
	if err != nil {
		return nil, fmt.Errorf("sso: %w", err)
	}
	c := &Cache{opt: opt, next: next, answer: answers, refusal: refusals}
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
	remembered, ok := c.remembered(hash)
	if now := c.opt.Clock(); ok && now.Before(remembered.until) && !c.holdDue(&remembered, now) {
		return remembered.identity, remembered.err
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
		if remembered, ok := c.remembered(hash); ok && c.opt.Clock().Before(remembered.until) {
			return c.hold(ctx, hash, remembered)
		}
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

// remembered returns what was last said of a token.
func (c *Cache) remembered(hash [32]byte) (answer, bool) {
	if accepted, ok := c.answer.Get(hash); ok {
		return accepted, true
	}
	return c.refusal.Get(hash)
}

// accept remembers that a token counts.
func (c *Cache) accept(hash [32]byte, a answer) {
	c.answer.Add(hash, a)
	c.refusal.Remove(hash)
}

// refuse remembers for a while that it does not, and tells the other nodes.
func (c *Cache) refuse(ctx context.Context, hash [32]byte, err error, now time.Time) {
	c.refusal.Add(hash, answer{err: err, until: now.Add(shortMemory)})
	c.answer.Remove(hash)
	c.unshare(ctx, hash)
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
	changes := c.changes()
	identity, err := c.question(ctx, credentials)
	now := c.opt.Clock()
	switch {
	case err == nil:
		c.accept(hash, answer{
			identity: identity, until: earlier(now.Add(c.opt.TTL), identity.ExpiresAt), accepted: now, held: now, changes: changes,
		})
		c.share(ctx, hash, identity, now)
	case refused(err):
		c.refuse(ctx, hash, err, now)
	case errors.As(err, new(*protocol.Error)): // somebody's own trouble, such as the ledger's, with a code of its own
	case errors.Is(err, ws.ErrCannotTell):
		return c.goOn(ctx, hash, now, err)
	default:
		return c.goOn(ctx, hash, now, fmt.Errorf("%w: %w", ws.ErrCannotTell, err))
	}
	return identity, err
}

// question asks next. A panic of it, which may be the host's, would be raised in a goroutine where nobody else catches it; what it
// says may be about the token, and is not told.
func (c *Cache) question(ctx context.Context, credentials ws.Credentials) (identity ws.Identity, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			if c.opt.Log != nil {
				c.opt.Log.Error("a panic while a token was checked", "panic", fmt.Sprintf("%T", cause), "stack", string(debug.Stack()))
			}
			err = fmt.Errorf("%w: panic (%T)", ws.ErrCannotTell, cause)
		}
	}()
	return c.next.Authenticate(ctx, credentials)
}

// holdDue reports whether what is known elsewhere has to be looked at before an answer counts.
func (c *Cache) holdDue(a *answer, now time.Time) bool {
	switch {
	case c.opt.Known == nil || a.err != nil:
		return false
	case c.opt.Changes != nil:
		return a.changes != c.opt.Changes()
	}
	return !now.Before(a.held.Add(heldFor))
}

// changes is read before a look at Known, so that none is missed that comes while it looks.
func (c *Cache) changes() uint64 {
	if c.opt.Changes == nil {
		return 0
	}
	return c.opt.Changes()
}

// hold holds a remembered answer against what is known elsewhere.
func (c *Cache) hold(ctx context.Context, hash [32]byte, remembered answer) (ws.Identity, error) {
	now, changes := c.opt.Clock(), c.changes()
	if !c.holdDue(&remembered, now) {
		return remembered.identity, remembered.err
	}
	ctx, cancel := context.WithTimeout(ctx, holdTimeout)
	defer cancel()
	if _, err := c.opt.Known(ctx, hash); err != nil && refused(err) {
		c.refuse(ctx, hash, err, now)
		return ws.Identity{}, err
	}
	remembered.held, remembered.changes = now, changes
	c.accept(hash, remembered)
	return remembered.identity, nil
}

// refused reports whether err says no to the token or to its user.
func refused(err error) bool {
	return errors.Is(err, ws.ErrInvalidToken) || errors.Is(err, protocol.NewError(protocol.Forbidden, ""))
}

// goOn decides about a token while nobody can be asked: one that was accepted not long ago still counts.
func (c *Cache) goOn(ctx context.Context, hash [32]byte, now time.Time, cause error) (ws.Identity, error) {
	remembered, ok := c.answer.Peek(hash)
	ok = ok && now.Before(remembered.accepted.Add(c.opt.Grace)) && !ended(remembered.identity, now)
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
	c.accept(hash, remembered)
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
