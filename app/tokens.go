package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// writer writes to the ledger; *ws.Gateway is one.
type writer interface {
	Write(ctx context.Context, op ws.Op) error
	WriteLater(op ws.Op)
}

// recordedTokens records in the ledger which tokens were accepted: so that known ones go on after a restart while the
// SSO is down, and revoked ones are refused whatever the SSO says. It stands behind the cache, so that it is asked once
// a token and cache time; it writes when a token is new, and now and then to say that it still holds.
type recordedTokens struct {
	next  ws.Authenticator
	store ws.Reader
	write func() writer // the engine is built after us
	grace time.Duration
	clock ws.Clock
	log   *slog.Logger
}

var errRevoked = fmt.Errorf("%w: it was revoked", ws.ErrInvalidToken)

// Authenticate implements ws.Authenticator.
func (t *recordedTokens) Authenticate(ctx context.Context, c ws.Credentials) (ws.Identity, error) {
	identity, err := t.next.Authenticate(ctx, c)
	if err != nil {
		return ws.Identity{}, err
	}
	accept := &ws.AcceptToken{
		Token: ws.Token{Hash: sha256.Sum256([]byte(c.Token)), OpenID: identity.OpenID, ExpiresAt: t.until(&identity, t.grace)},
		Name:  identity.Name, IssuedAt: millis(identity.IssuedAt), At: millis(t.clock()),
	}
	if admission := ws.AdmissionFrom(ctx); admission != nil {
		err = admission.Open(ctx, &identity, accept) // a connect writes anyhow: the token goes along, without a question first
	} else {
		err = t.accept(ctx, accept, &identity)
	}
	if errors.Is(err, protocol.NewError(protocol.Unauthorized, "")) {
		err = errRevoked
	}
	if err != nil {
		return ws.Identity{}, err
	}
	return identity, nil
}

// accept holds the token against the ledger and records it there if need be.
func (t *recordedTokens) accept(ctx context.Context, accept *ws.AcceptToken, identity *ws.Identity) error {
	token, user, err := t.store.Token(ctx, accept.Token.Hash)
	known := err == nil && token.OpenID == identity.OpenID
	switch {
	case err != nil && !errors.Is(err, ws.ErrNotFound):
		return err
	case known:
		if err := usable(&token, &user); err != nil {
			return err
		}
		if identity.Name == "" || identity.Name == user.Name {
			if token.ExpiresAt < t.until(identity, t.grace/2) {
				t.write().WriteLater(accept)
			}
			return nil
		}
	}
	err = t.write().Write(ctx, accept)
	if err != nil && known && !refusal(err) {
		t.log.Warn("a user's new name was not recorded", "error", err)
		return nil
	}
	return err
}

// refusal reports whether the ledger says no to the token or its user.
func refusal(err error) bool {
	return errors.Is(err, protocol.NewError(protocol.Unauthorized, "")) || errors.Is(err, protocol.NewError(protocol.Forbidden, ""))
}

// until is up to when a token that was accepted now goes on without the SSO.
func (t *recordedTokens) until(identity *ws.Identity, grace time.Duration) ws.Millis {
	until := millis(t.clock().Add(grace))
	if end := millis(identity.ExpiresAt); end != 0 {
		until = min(until, end)
	}
	return until
}

// known answers for the SSO from what is recorded. Roles are not: they come back with the SSO.
func (t *recordedTokens) known(ctx context.Context, hash [32]byte) (ws.Identity, error) {
	token, user, err := t.store.Token(ctx, hash)
	if err != nil {
		return ws.Identity{}, fmt.Errorf("%w: %w", ws.ErrCannotTell, err)
	}
	if err := usable(&token, &user); err != nil {
		return ws.Identity{}, err
	}
	if millis(t.clock()) >= token.ExpiresAt {
		return ws.Identity{}, ws.ErrCannotTell
	}
	return ws.Identity{OpenID: user.OpenID, Name: user.Name, ExpiresAt: time.UnixMilli(int64(token.ExpiresAt))}, nil
}

func usable(token *ws.Token, user *ws.User) error {
	switch {
	case user.Banned:
		return protocol.NewError(protocol.Forbidden, "this user is banned")
	case token.Epoch < user.TokenEpoch:
		return errRevoked
	}
	return nil
}

// millis returns t as the ledger keeps it; 0 for the zero time.
func millis(t time.Time) ws.Millis {
	if t.IsZero() {
		return 0
	}
	return ws.Millis(t.UnixMilli())
}
