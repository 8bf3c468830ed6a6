package wstest

import (
	"errors"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// tokenRules: a token that was accepted counts until its user's tokens are revoked.
var tokenRules = []rule{
	{"acceptedAgain", func(s *subject) {
		s.holds(s.accepting("alice", 1))
		s.holds(s.accepting("alice", 1))
		token, owner, err := s.Token(s.ctx, [32]byte{1})
		require.NoError(s, err)
		require.Equal(s, owner.TokenEpoch, token.Epoch)
	}},
	{"revoked", func(s *subject) {
		s.holds(s.accepting("alice", 1), s.accepting("bob", 2))
		s.holds(&ws.RevokeTokens{OpenID: "alice", At: s.tick()})
		s.refuses(protocol.Unauthorized, s.accepting("alice", 1))
		token, owner, err := s.Token(s.ctx, [32]byte{1})
		require.True(s, errors.Is(err, ws.ErrNotFound) || (err == nil && token.Epoch < owner.TokenEpoch),
			"a reader has to see that the token ended")
		s.refuses(protocol.Unauthorized, s.accepting("alice", 1))
		s.holds(s.accepting("bob", 2))
	}},
	{"newAfterRevocation", func(s *subject) {
		s.holds(s.accepting("alice", 1))
		s.holds(&ws.RevokeTokens{OpenID: "alice", At: s.tick()})
		s.holds(s.accepting("alice", 3))
		token, owner, err := s.Token(s.ctx, [32]byte{3})
		require.NoError(s, err)
		require.Equal(s, owner.TokenEpoch, token.Epoch)
		s.refuses(protocol.Unauthorized, s.accepting("alice", 1))
	}},
	{"issuedBeforeRevocation", func(s *subject) {
		s.users("alice")
		revoked := s.tick()
		s.holds(&ws.RevokeTokens{OpenID: "alice", At: revoked})
		older, newer := s.accepting("alice", 1), s.accepting("alice", 2)
		older.IssuedAt, newer.IssuedAt = revoked-1000, revoked+1000
		s.refuses(protocol.Unauthorized, older)
		_, _, err := s.Token(s.ctx, [32]byte{1})
		require.ErrorIs(s, err, ws.ErrNotFound)
		s.holds(newer)
	}},
	{"revokedInTheBatch", func(s *subject) {
		before, after := s.accepting("alice", 1), s.accepting("alice", 1)
		s.commit(before, &ws.RevokeTokens{OpenID: "alice", At: s.tick()}, after)
		require.NoError(s, before.Err)
		s.refused(protocol.Unauthorized, after)
	}},
	{"withADevice", func(s *subject) {
		accept := s.accepting("alice", 1)
		op := &ws.OpenDevice{Accept: accept, User: "alice", Device: "web", At: accept.At}
		s.holds(op)
		require.True(s, op.Created)
		token, owner, err := s.Token(s.ctx, [32]byte{1})
		require.NoError(s, err)
		require.Equal(s, owner.TokenEpoch, token.Epoch)
		require.Equal(s, token, accept.Token)
		again := &ws.OpenDevice{Accept: s.accepting("alice", 1), User: "alice", Device: "web", At: s.tick()}
		s.holds(again)
		require.Greater(s, again.Epoch, op.Epoch)
	}},
	{"revokedWithADevice", func(s *subject) {
		s.holds(s.accepting("alice", 1), &ws.RevokeTokens{OpenID: "alice", At: s.tick()})
		opened := s.open("alice", "web")
		for _, device := range []string{"web", "phone"} {
			op := &ws.OpenDevice{Accept: s.accepting("alice", 1), User: "alice", Name: "New Name", Device: device, At: s.tick()}
			s.refuses(protocol.Unauthorized, op)
			s.refused(protocol.Unauthorized, op.Accept)
		}
		devices, err := s.Devices(s.ctx, "alice")
		require.NoError(s, err)
		require.Len(s, devices, 1, "no device is made for a token that ended")
		require.Equal(s, opened.Epoch, devices[0].Epoch)
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.NotEqual(s, "New Name", alice.Name)
	}},
	{"acceptedWithoutTheDevice", func(s *subject) {
		s.open("alice", "web")
		op := &ws.OpenDevice{Accept: s.accepting("alice", 1), User: "alice", Device: "phone", At: s.tick(), MaxDevices: 1}
		s.refuses(protocol.RateLimited, op)
		require.NoError(s, op.Accept.Err)
		_, _, err := s.Token(s.ctx, [32]byte{1})
		require.NoError(s, err, "too many devices say nothing about the token")
	}},
	{"dropped", func(s *subject) {
		s.holds(s.accepting("alice", 1), s.accepting("alice", 2), s.accepting("bob", 3))
		end := s.accepting("alice", 4).Token.ExpiresAt // later than all of them
		drop := func(user string, mark byte, before ws.Millis) ws.Op {
			return &ws.DropToken{Hash: [32]byte{mark}, OpenID: user, Before: before}
		}
		token, _, err := s.Token(s.ctx, [32]byte{2})
		require.NoError(s, err)
		s.holds(drop("alice", 1, end), drop("alice", 2, token.ExpiresAt), drop("alice", 3, end), drop("alice", 9, end), drop("carol", 9, end))
		s.listsTokens(2, 3)
		_, _, err = s.Token(s.ctx, [32]byte{1})
		require.ErrorIs(s, err, ws.ErrNotFound)
		s.holds(&ws.RevokeTokens{OpenID: "alice", At: s.tick()})
		s.holds(s.accepting("alice", 1)) // it is as new
		s.refuses(protocol.Unauthorized, s.accepting("alice", 2))
		s.holds(drop("alice", 1, end+3_600_000), s.accepting("alice", 1), drop("bob", 3, end), drop("alice", 2, end+3_600_000))
		s.listsTokens(1, 2) // what was revoked is known by its row
		_, err = s.User(s.ctx, "carol")
		require.ErrorIs(s, err, ws.ErrNotFound)
	}},
	{"listed", func(s *subject) {
		s.listsTokens()
		s.holds(s.accepting("alice", 5), s.accepting("bob", 3), s.accepting("alice", 200))
		s.listsTokens(3, 5, 200)
		for after, want := range map[byte]byte{0: 3, 3: 5, 4: 5, 5: 200} {
			found, err := s.Tokens(s.ctx, [32]byte{after}, 1)
			require.NoError(s, err)
			require.Len(s, found, 1)
			require.Equal(s, want, found[0].Hash[0])
		}
		found, err := s.Tokens(s.ctx, [32]byte{200}, everything)
		require.NoError(s, err)
		require.Empty(s, found)
	}},
	{"banned", func(s *subject) {
		s.users("alice")
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		s.refuses(protocol.Forbidden, s.accepting("alice", 1))
		_, _, err := s.Token(s.ctx, [32]byte{1})
		require.ErrorIs(s, err, ws.ErrNotFound)
		s.holds(&ws.BanUser{OpenID: "alice"}, s.accepting("alice", 1))
	}},
}

// listsTokens requires that these are all tokens, by the first byte of their hashes.
func (s *subject) listsTokens(marks ...byte) {
	s.Helper()
	found, err := s.Tokens(s.ctx, [32]byte{}, everything)
	require.NoError(s, err)
	var listed []byte
	for _, token := range found {
		known, _, err := s.Token(s.ctx, token.Hash)
		require.NoError(s, err)
		require.Equal(s, known, token)
		listed = append(listed, token.Hash[0])
	}
	require.Equal(s, marks, listed)
}

// accepting is the acceptance of a token whose hash begins with mark.
func (s *subject) accepting(user string, mark byte) *ws.AcceptToken {
	at := s.tick()
	return &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{mark}, OpenID: user, ExpiresAt: at + 3_600_000}, At: at}
}
