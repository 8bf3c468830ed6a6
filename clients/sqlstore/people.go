package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// holdUser returns a user's row, locked.
func (v *view) holdUser(openID string) *row[string, user] {
	u := v.users.get(openID)
	v.users.hold(u)
	return u
}

// know makes a user known if need be, with the stay in the system conversation, and sets the name unless it is empty.
func (v *view) know(u *row[string, user], name string, at ws.Millis) {
	if u.exists {
		if name != "" && name != u.val.Name {
			u.val.Name = name
			v.users.touch(u)
		}
		return
	}
	system := v.conversation(ws.SystemConversation)
	v.users.put(u, user{User: ws.User{OpenID: u.key, Name: name, FirstSeen: at}})
	v.enter(system, u.key, system.val.Last+1, ws.Member)
}

// seen raises when the user was last seen.
func (v *view) seen(u *row[string, user], at ws.Millis) {
	if at > u.val.LastSeen {
		u.val.LastSeen = at
		v.users.touch(u)
	}
}

// known returns the row of a user, or the refusal of one who is not known.
func (v *view) known(openID string) (*row[string, user], error) {
	u := v.users.get(openID)
	if !u.exists {
		return nil, refuse(protocol.UnknownUser, "the user is not known")
	}
	return u, nil
}

func (v *view) banUser(op *ws.BanUser) error {
	u, err := v.known(op.OpenID)
	if err != nil {
		return err
	}
	if u.val.Banned != op.Banned {
		u.val.Banned = op.Banned
		v.users.touch(u)
	}
	return nil
}

func (v *view) acceptToken(op *ws.AcceptToken) error {
	u := v.holdUser(op.Token.OpenID)
	t := v.tokens.get(op.Token.Hash)
	if u.exists && u.val.Banned {
		return refuse(protocol.Forbidden, "the user is banned")
	}
	if u.exists && t.exists && t.val.OpenID == u.key && t.val.Epoch < u.val.TokenEpoch {
		return refuse(protocol.Unauthorized, "the token was revoked")
	}
	if op.IssuedAt != 0 && op.IssuedAt < u.val.revokedAt {
		return refuse(protocol.Unauthorized, "the token is older than the revocation of its user's tokens")
	}
	v.know(u, op.Name, op.At)
	v.seen(u, op.At)
	op.Token.Epoch = u.val.TokenEpoch
	if !t.exists || t.val != op.Token {
		v.tokens.put(t, op.Token)
	}
	return nil
}

// dropToken holds the user, as whoever accepts a token does.
func (v *view) dropToken(op *ws.DropToken) {
	u := v.holdUser(op.OpenID)
	t := v.tokens.get(op.Hash)
	if t.exists && t.val.OpenID == op.OpenID && t.val.ExpiresAt < op.Before && t.val.Epoch >= u.val.TokenEpoch {
		v.tokens.remove(t)
	}
}

func (v *view) revokeTokens(op *ws.RevokeTokens) error {
	u, err := v.known(op.OpenID)
	if err != nil {
		return err
	}
	u.val.TokenEpoch++
	u.val.revokedAt = max(u.val.revokedAt, op.At)
	v.users.touch(u)
	return nil
}
