package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// sendRules: who may write to whom, and whom it reaches.
var sendRules = []rule{
	{"senderMadeKnown", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		op.SenderName = "Alice"
		s.holds(op)
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "Alice", alice.Name)
		require.Equal(s, op.Record.CreatedAt, alice.FirstSeen)

		again := s.message("alice", "bob", "hello")
		again.SenderName = "Another"
		s.holds(again)
		alice, err = s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "Alice", alice.Name, "the name is for a sender who becomes known by this")
	}},
	{"unknownRecipient", func(s *subject) {
		s.users("alice")
		s.refuses(protocol.UnknownUser, s.message("alice", "nobody", "hello"))
	}},
	{"recipientMadeKnown", func(s *subject) {
		op := s.message("alice", "bob", "hello")
		op.CreateUsers, op.SenderName = true, "Alice"
		s.holds(op)
		bob, err := s.User(s.ctx, "bob")
		require.NoError(s, err)
		require.Empty(s, bob.Name, "the name is the sender's")
		require.Equal(s, []string{"alice", "bob"}, s.members(ws.SystemConversation))
		s.open("bob", "phone")
		require.Equal(s, []ws.ConversationID{op.Record.Conversation}, s.behind("bob", "phone"))
	}},
	{"created", func(s *subject) {
		s.users("bob")
		first, second := s.message("alice", "bob", "1"), s.message("bob", "alice", "2")
		s.holds(first, second)
		require.True(s, first.Created)
		require.False(s, second.Created)
		require.Equal(s, first.Record.Conversation, second.Record.Conversation)
	}},
	{"members", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		s.holds(op)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)
		require.Equal(s, []string{"alice", "bob"}, s.members(op.Record.Conversation))
	}},
	{"oneself", func(s *subject) {
		op := s.message("alice", "alice", "note")
		s.holds(op)
		require.Equal(s, []string{"alice"}, op.Members)
		require.Equal(s, []string{"alice"}, s.members(op.Record.Conversation))
		require.Equal(s, "alice,alice", s.conversation(op.Record.Conversation).Key)
		s.stays(op.Record.Conversation, "alice", 1)
		require.Equal(s, op.Record.Conversation, s.talk("alice", "alice", 1))
	}},
	{"keysBytewise", func(s *subject) {
		// Nothing folds case or trims: these are four users.
		s.users("bob", "Bob", "bob ", "böb")
		ids := map[ws.ConversationID]bool{}
		for _, to := range []string{"bob", "Bob", "bob ", "böb"} {
			ids[s.talk("alice", to, 1)] = true
		}
		require.Len(s, ids, 4)
	}},
	{"namesThatContainEachOther", func(s *subject) {
		s.users("a", "ab", "b", "bb")
		require.NotEqual(s, s.talk("a", "bb", 1), s.talk("ab", "b", 1))
	}},
	{"banned", func(s *subject) {
		s.users("alice", "bob")
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		s.refuses(protocol.Forbidden, s.message("alice", "bob", "hello"))
		s.holds(s.message("bob", "alice", "to the banned one"))
		s.holds(&ws.BanUser{OpenID: "alice"}, s.message("alice", "bob", "again"))
	}},
	{"group", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob")
		op := s.post("bob", id, "hello")
		s.holds(op)
		require.Equal(s, ws.MessageID{Conversation: id, Seq: 2}, op.Record.ID())
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)
		s.refuses(protocol.NotMember, s.post("carol", id, "hello"))
		s.leave(id, "bob")
		s.refuses(protocol.NotMember, s.post("bob", id, "hello"))
	}},
	{"membersAsOfTheCommit", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob")
		before, between, after := s.post("alice", id, "1"), s.post("alice", id, "2"), s.post("alice", id, "3")
		s.holds(before, s.changing(id, ws.KindJoined, "alice", "carol"), between, s.changing(id, ws.KindLeft, "alice", "bob"), after)
		require.ElementsMatch(s, []string{"alice", "bob"}, before.Members)
		require.ElementsMatch(s, []string{"alice", "bob", "carol"}, between.Members)
		require.ElementsMatch(s, []string{"alice", "carol"}, after.Members)
	}},
	{"unknownGroup", func(s *subject) {
		direct := s.knownTalk("alice", "bob", 1)
		s.refuses(protocol.UnknownGroup, s.post("alice", 4711, "hello"))
		s.refuses(protocol.UnknownGroup, s.post("alice", direct, "a direct conversation is no group"))
	}},
	{"system", func(s *subject) {
		s.users("alice", "bob")
		op := s.post("alice", ws.SystemConversation, "to all")
		s.holds(op)
		require.Empty(s, op.Members, "they are everybody: nobody lists them")
		newcomer := s.post("carol", ws.SystemConversation, "being made known makes a member")
		s.holds(newcomer)
		require.Empty(s, newcomer.Members)
		require.Equal(s, []string{"alice", "bob", "carol"}, s.members(ws.SystemConversation))
		count, err := s.CountMembers(s.ctx, ws.SystemConversation)
		require.NoError(s, err)
		require.Equal(s, 3, count)
		recall := &ws.Recall{Seq: 1, By: "alice", Record: ws.Record{Conversation: ws.SystemConversation, CreatedAt: s.tick()}}
		s.holds(recall)
		require.Empty(s, recall.Members)
	}},
}
