package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// userRules: who is known, and that everybody known is in the system conversation.
var userRules = []rule{
	{"put", func(s *subject) {
		s.holds(&ws.PutUser{OpenID: "alice", Name: "Alice", At: 1000})
		s.holds(&ws.PutUser{OpenID: "alice", At: 2000})
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "Alice", alice.Name, "an empty name keeps the known one")
		require.Equal(s, ws.Millis(1000), alice.FirstSeen)
		s.holds(&ws.PutUser{OpenID: "alice", Name: "Alicia", At: 3000})
		alice, err = s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "Alicia", alice.Name)
		require.Equal(s, ws.Millis(1000), alice.FirstSeen)
	}},
	{"list", func(s *subject) {
		s.users("alice", "bob", "carol")
		found, err := s.Users(s.ctx, []string{"carol", "nobody", "alice"})
		require.NoError(s, err)
		names := map[string]string{}
		for _, u := range found {
			names[u.OpenID] = u.Name
		}
		require.Len(s, found, 2)
		require.Equal(s, map[string]string{"alice": "name of alice", "carol": "name of carol"}, names)
	}},
	{"seen", func(s *subject) {
		s.open("alice", "web")
		s.open("alice", "phone")
		at := s.tick()
		s.holds(&ws.SeenDevice{User: "alice", Device: "web", At: at})
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, at, alice.LastSeen)
		devices, err := s.Devices(s.ctx, "alice")
		require.NoError(s, err)
		require.Len(s, devices, 2)
		require.Equal(s, "phone", devices[0].Name, "by name")
		require.Less(s, devices[0].LastSeen, at)
		require.Equal(s, at, devices[1].LastSeen)
	}},
	{"ban", func(s *subject) {
		s.refuses(protocol.UnknownUser, &ws.BanUser{OpenID: "nobody", Banned: true})
		require.False(s, s.known("nobody"))
		s.users("alice")
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.True(s, alice.Banned)
		s.refuses(protocol.Forbidden, &ws.OpenDevice{User: "alice", Device: "web", At: s.tick()})
		s.holds(&ws.BanUser{OpenID: "alice"})
		s.open("alice", "web")
	}},
	{"systemFromTheCommit", systemFromTheCommit},
	{"systemAtTheHead", func(s *subject) {
		s.users("alice")
		s.holds(s.post("alice", ws.SystemConversation, "1"), s.post("alice", ws.SystemConversation, "2"))
		s.open("bob", "web")
		require.Equal(s, uint64(3), s.stays(ws.SystemConversation, "bob", 1)[0].Joined)
		require.Empty(s, s.behind("bob", "web"), "what was said before is not for the newcomer")
		require.Equal(s, uint64(2), s.cursor("bob", "web", ws.SystemConversation))
		s.holds(s.post("alice", ws.SystemConversation, "3"))
		require.Equal(s, []ws.ConversationID{ws.SystemConversation}, s.behind("bob", "web"))
		require.Equal(s, uint64(1), s.stays(ws.SystemConversation, "alice", 1)[0].Joined)
	}},
	{"systemVersion", func(s *subject) {
		s.users("alice")
		before := s.conversation(ws.SystemConversation)
		require.Equal(s, ws.System, before.Kind)
		require.Equal(s, "system", before.Key)
		s.users("alice")
		require.Equal(s, before.MembersVersion, s.conversation(ws.SystemConversation).MembersVersion)
		s.users("bob")
		require.Greater(s, s.conversation(ws.SystemConversation).MembersVersion, before.MembersVersion)
	}},
}

// systemFromTheCommit goes through every way in which a user becomes known.
func systemFromTheCommit(s *subject) {
	s.holds(&ws.PutUser{OpenID: "1-put", At: s.tick()})
	s.holds(&ws.OpenDevice{User: "2-device", Device: "web", At: s.tick()})
	s.holds(&ws.AcceptToken{Token: ws.Token{Hash: [32]byte{1}, OpenID: "3-token"}, At: s.tick()})
	send := s.message("4-sender", "5-recipient", "hello")
	send.CreateUsers = true
	s.holds(send)
	want := []string{"1-put", "2-device", "3-token", "4-sender", "5-recipient"}
	require.Equal(s, want, s.members(ws.SystemConversation))
	for _, openID := range want {
		require.True(s, s.known(openID))
		of, err := s.ConversationsOf(s.ctx, openID, 0, everything)
		require.NoError(s, err)
		require.NotEmpty(s, of)
		require.Equal(s, ws.SystemConversation, of[0].Conversation.ID)
		require.Len(s, of[0].Stays, 1)
	}
}
