package ws

import (
	"context"

	"github.com/yanlink/yanlink/ws/protocol"
)

// PutUser makes a user known, or changes the name that others see; an empty name keeps the known one.
func (g *Gateway) PutUser(ctx context.Context, openID, name string) (User, error) {
	if !protocol.ValidOpenID(openID) {
		return User{}, protocol.FieldError(protocol.BadField, "openid", "an openid is 1 to 128 bytes without comma or control characters")
	}
	if err := g.write(ctx, &PutUser{OpenID: openID, Name: name, At: g.now()}); err != nil {
		return User{}, err
	}
	g.renamed(openID, name)
	return g.store.User(ctx, openID)
}

// renamed notes a name that was written, here and on the other nodes.
func (g *Gateway) renamed(openID, name string) {
	if g.names.put(openID, name) {
		g.watch.ring.note([]string{openID})
	}
}

// Ban bans or unbans a user. From the commit on a banned user's sends and connects are refused; sessions on all nodes are
// closed with 4403, and it returns how many. One that cannot be reached goes when its token is checked again.
func (g *Gateway) Ban(ctx context.Context, openID string, banned bool) (ended int, err error) {
	err = g.write(ctx, &BanUser{OpenID: openID, Banned: banned})
	g.dismissals.Add(1) // what could not be written now may turn out to hold
	if err != nil || !banned {
		return 0, err
	}
	return g.dismiss(ctx, &endBell{user: openID, code: protocol.CloseForbidden, reason: "banned", at: g.now()}), nil
}

// Revoke ends all tokens of a user that this ledger has accepted, and where the SSO tells when a token was issued, all
// older ones. Sessions on all nodes are closed with 4401, and it returns how many, likewise.
func (g *Gateway) Revoke(ctx context.Context, openID string) (ended int, err error) {
	err = g.write(ctx, &RevokeTokens{OpenID: openID, At: g.now()})
	g.dismissals.Add(1)
	if err != nil {
		return 0, err
	}
	return g.dismiss(ctx, &endBell{user: openID, code: protocol.CloseTokenEnded, reason: "the token was revoked", at: g.now()}), nil
}

// Dismissals counts the calls of Ban and Revoke that have been written. A token that counted before the last one may not count
// now. Other nodes of a cluster count their own.
func (g *Gateway) Dismissals() uint64 { return g.dismissals.Load() }

// dismiss ends the sessions of somebody who may not have any.
func (g *Gateway) dismiss(ctx context.Context, bell *endBell) (ended int) {
	ended, err := g.endEverywhere(ctx, bell)
	if err != nil {
		g.log.Warn("not every session of a user could be ended; the rest ends when its token is checked again", "error", err)
	}
	return ended
}
