package redisregistry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/yanlink/yanlink/ws"
)

// Tokens remembers accepted tokens for all nodes, by their SHA-256. It uses its Registry's connections and ends with it.
type Tokens struct{ registry *Registry }

// Tokens returns what is remembered of tokens.
func (r *Registry) Tokens() *Tokens { return &Tokens{registry: r} }

// tokenEntry is whose an accepted token is.
type tokenEntry struct {
	OpenID    string    `json:"openid"`
	Name      string    `json:"name"`
	Roles     []string  `json:"roles"`
	IssuedAt  time.Time `json:"issuedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

func tokenKey(hash [32]byte) string { return "yan_token_" + hex.EncodeToString(hash[:]) }

// Get returns what was put for a token and how long it still counts; 0 if it does not, or nothing was put.
func (t *Tokens) Get(ctx context.Context, hash [32]byte) (identity ws.Identity, left time.Duration, err error) {
	r := t.registry
	if err := r.usable(ctx); err != nil {
		return ws.Identity{}, 0, err
	}
	pipe := r.client.Pipeline()
	value, ttl := pipe.Get(ctx, tokenKey(hash)), pipe.PTTL(ctx, tokenKey(hash))
	_, err = pipe.Exec(ctx)
	switch {
	case errors.Is(err, redis.Nil):
		return ws.Identity{}, 0, nil
	case err != nil:
		return ws.Identity{}, 0, r.failed(err, "look for a token")
	}
	var e tokenEntry
	if err := json.Unmarshal([]byte(value.Val()), &e); err != nil || e.OpenID == "" {
		return ws.Identity{}, 0, nil // not ours: whoever knows is asked, and it is written over
	}
	return ws.Identity{
		OpenID: e.OpenID, Name: e.Name, Roles: e.Roles, IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt,
	}, max(0, ttl.Val()), nil
}

// Put remembers whose a token is, for as long.
func (t *Tokens) Put(ctx context.Context, hash [32]byte, identity ws.Identity, ttl time.Duration) error {
	r := t.registry
	if err := r.usable(ctx); err != nil {
		return err
	}
	value, err := json.Marshal(tokenEntry{
		OpenID: identity.OpenID, Name: identity.Name, Roles: identity.Roles,
		IssuedAt: identity.IssuedAt, ExpiresAt: identity.ExpiresAt,
	})
	if err == nil {
		err = r.client.Set(ctx, tokenKey(hash), value, ttl).Err()
	}
	return r.failed(err, "remember a token")
}

// Delete forgets a token.
func (t *Tokens) Delete(ctx context.Context, hash [32]byte) error {
	r := t.registry
	if err := r.usable(ctx); err != nil {
		return err
	}
	return r.failed(r.client.Del(ctx, tokenKey(hash)).Err(), "forget a token")
}
