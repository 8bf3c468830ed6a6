package pebblestore

import (
	"strings"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// know makes a user known if need be, with the stay in the system conversation, and sets the name unless it is empty.
func (w *writer) know(u *row[string, user], name string, at ws.Millis) error {
	if u.exists {
		if name != "" && name != u.val.Name {
			u.val.Name = strings.Clone(name)
			w.tables.users.touch(u)
		}
		return nil
	}
	system, err := w.tables.conversations.get(w.db, ws.SystemConversation)
	if err != nil {
		return err
	}
	w.tables.users.put(u, user{User: ws.User{OpenID: u.key, Name: strings.Clone(name), FirstSeen: at}})
	return w.enter(system, u.key, system.val.Last+1, ws.Member)
}

// seen raises when the user was last seen.
func (w *writer) seen(u *row[string, user], at ws.Millis) {
	if at > u.val.LastSeen {
		u.val.LastSeen = at
		w.tables.users.touch(u)
	}
}

func (w *writer) putUser(op *ws.PutUser) error {
	u, err := w.tables.users.get(w.db, op.OpenID)
	if err != nil {
		return err
	}
	return w.know(u, op.Name, op.At)
}

func (w *writer) banUser(op *ws.BanUser) error {
	u, err := w.knownUser(op.OpenID)
	if err != nil {
		return err
	}
	if u.val.Banned != op.Banned {
		u.val.Banned = op.Banned
		w.tables.users.touch(u)
	}
	return nil
}

func (w *writer) knownUser(openID string) (*row[string, user], error) {
	u, err := w.tables.users.get(w.db, openID)
	if err == nil && !u.exists {
		return nil, refuse(protocol.UnknownUser, "the user is not known")
	}
	return u, err
}

func (w *writer) acceptToken(op *ws.AcceptToken) error {
	u, err := w.tables.users.get(w.db, op.Token.OpenID)
	if err != nil {
		return err
	}
	t, err := w.tables.tokens.get(w.db, op.Token.Hash)
	if err != nil {
		return err
	}
	if u.exists && u.val.Banned {
		return refuse(protocol.Forbidden, "the user is banned")
	}
	if u.exists && t.exists && t.val.OpenID == u.key && t.val.Epoch < u.val.TokenEpoch {
		return refuse(protocol.Unauthorized, "the token was revoked")
	}
	if op.IssuedAt != 0 && op.IssuedAt < u.val.revokedAt {
		return refuse(protocol.Unauthorized, "the token is older than the revocation of its user's tokens")
	}
	if err := w.know(u, op.Name, op.At); err != nil {
		return err
	}
	w.seen(u, op.At)
	op.Token.Epoch = u.val.TokenEpoch
	token := op.Token
	token.OpenID = u.key
	if !t.exists || t.val != token {
		w.tables.tokens.put(t, token)
	}
	return nil
}

func (w *writer) dropToken(op *ws.DropToken) error {
	u, err := w.tables.users.get(w.db, op.OpenID)
	if err != nil {
		return err
	}
	t, err := w.tables.tokens.get(w.db, op.Hash)
	if err == nil && t.exists && t.val.OpenID == op.OpenID && t.val.ExpiresAt < op.Before && t.val.Epoch >= u.val.TokenEpoch {
		w.tables.tokens.remove(t)
	}
	return err
}

func (w *writer) revokeTokens(op *ws.RevokeTokens) error {
	u, err := w.knownUser(op.OpenID)
	if err != nil {
		return err
	}
	u.val.TokenEpoch++
	u.val.revokedAt = max(u.val.revokedAt, op.At)
	w.tables.users.touch(u)
	return nil
}
