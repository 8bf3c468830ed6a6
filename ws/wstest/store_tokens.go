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
	{"banned", func(s *subject) {
		s.users("alice")
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		s.refuses(protocol.Forbidden, s.accepting("alice", 1))
		_, _, err := s.Token(s.ctx, [32]byte{1})
		require.ErrorIs(s, err, ws.ErrNotFound)
		s.holds(&ws.BanUser{OpenID: "alice"}, s.accepting("alice", 1))
	}},
}

// accepting is the acceptance of a token whose hash begins with mark.
func (s *subject) accepting(user string, mark byte) *ws.AcceptToken {
	at := s.tick()
	return &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{mark}, OpenID: user, ExpiresAt: at + 3_600_000}, At: at}
}
