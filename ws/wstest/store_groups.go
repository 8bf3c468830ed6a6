package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// groupRules: groups are made once and changed by records that every member learns.
var groupRules = []rule{
	{"made", func(s *subject) {
		s.users("alice", "bob", "carol")
		op := &ws.CreateGroup{Key: "g", By: "alice", Users: []string{"bob", "alice", "bob"}, Record: ws.Record{CreatedAt: s.tick()}}
		s.holds(op)
		require.False(s, op.Existed)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)
		require.Equal(s, ws.MessageID{Conversation: op.Conversation.ID, Seq: 1}, op.Record.ID())
		stays, err := s.Members(s.ctx, op.Conversation.ID)
		require.NoError(s, err)
		require.Equal(s, []ws.Stay{
			{Conversation: op.Conversation.ID, User: "alice", Joined: 1, Role: ws.Owner},
			{Conversation: op.Conversation.ID, User: "bob", Joined: 1, Role: ws.Member},
		}, stays)
	}},
	{"existing", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob")
		again := &ws.CreateGroup{Key: "g", Name: "other", By: "bob", Users: []string{"carol"}, Record: ws.Record{CreatedAt: s.tick()}}
		s.holds(again)
		require.True(s, again.Existed)
		require.Equal(s, s.conversation(id), again.Conversation)
		require.Equal(s, uint64(1), again.Conversation.Last)
		require.Equal(s, "group g", again.Conversation.Name)
		require.Equal(s, []string{"alice", "bob"}, s.members(id))
		s.refuses(protocol.Conflict, &ws.CreateGroup{Key: "g", By: "carol", Record: ws.Record{CreatedAt: s.tick()}})
	}},
	{"keyIsUniquePerKind", func(s *subject) {
		direct := s.knownTalk("alice", "bob", 1)
		group := s.group(ws.DirectKey("alice", "bob"), "alice")
		system := s.group("system", "alice")
		require.NotEqual(s, direct, group)
		require.NotEqual(s, ws.SystemConversation, system)
		found, err := s.FindConversation(s.ctx, ws.Group, ws.DirectKey("alice", "bob"))
		require.NoError(s, err)
		require.Equal(s, group, found.ID)
	}},
	{"joined", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice")
		before := s.conversation(id).MembersVersion
		op := s.changing(id, ws.KindJoined, "alice", "bob")
		op.Role = ws.Admin
		op.Record.RequestID, op.Record.SenderDevice = [16]byte{4}, "web"
		s.holds(op)
		require.False(s, op.Unchanged)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)
		require.Equal(s, ws.MessageID{Conversation: id, Seq: 2}, op.Record.ID())
		want := op.Record
		require.Equal(s, &want, s.record(id, 2))
		require.Equal(s, ws.Stay{Conversation: id, User: "bob", Joined: 2, Role: ws.Admin}, s.stays(id, "bob", 1)[0])
		require.Greater(s, s.conversation(id).MembersVersion, before)
		require.Equal(s, op.Record.CreatedAt, s.conversation(id).UpdatedAt)
	}},
	{"left", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		before := s.conversation(id).MembersVersion
		op := s.changing(id, ws.KindLeft, "alice", "bob")
		s.holds(op)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members, "whoever leaves has to learn it")
		require.Equal(s, []string{"alice"}, s.members(id))
		require.Equal(s, uint64(2), s.stays(id, "bob", 1)[0].Left)
		require.Equal(s, ws.KindLeft, s.record(id, 2).Kind)
		require.Equal(s, "bob", s.record(id, 2).Subject)
		require.Greater(s, s.conversation(id).MembersVersion, before)
	}},
	{"unchanged", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob")
		before := s.conversation(id)
		join, leave := s.changing(id, ws.KindJoined, "alice", "bob"), s.changing(id, ws.KindLeft, "alice", "carol")
		s.holds(join, leave)
		require.True(s, join.Unchanged)
		require.True(s, leave.Unchanged)
		require.Equal(s, before, s.conversation(id))
		s.stays(id, "bob", 1)
		s.stays(id, "carol", 0)
	}},
	{"renamed", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		op := s.changing(id, ws.KindRenamed, "alice", "")
		op.Record.Body = "new name"
		s.holds(op)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)
		require.Equal(s, "new name", s.conversation(id).Name)
		require.Equal(s, "new name", s.record(id, 2).Body)
		found, err := s.FindConversation(s.ctx, ws.Group, "g")
		require.NoError(s, err)
		require.Equal(s, "new name", found.Name)
	}},
	{"dissolved", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob", "carol")
		s.leave(id, "carol")
		op := s.changing(id, ws.KindDissolved, "alice", "")
		s.holds(op)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)
		require.Empty(s, s.members(id))
		require.Equal(s, uint64(3), s.stays(id, "alice", 1)[0].Left)
		require.Equal(s, uint64(3), s.stays(id, "bob", 1)[0].Left)
		require.Equal(s, uint64(2), s.stays(id, "carol", 1)[0].Left)
		s.refuses(protocol.NotMember, s.post("alice", id, "too late"))
		again := s.changing(id, ws.KindDissolved, "alice", "")
		s.holds(again)
		require.True(s, again.Unchanged)
		require.Equal(s, uint64(3), s.conversation(id).Last)
	}},
	{"refused", func(s *subject) {
		s.users("alice")
		id := s.group("g", "alice")
		s.refuses(protocol.UnknownGroup, s.changing(4711, ws.KindJoined, "alice", "alice"))
		s.refuses(protocol.UnknownUser, s.changing(id, ws.KindJoined, "alice", "nobody"))
		require.Equal(s, uint64(1), s.conversation(id).Last)
		direct := s.knownTalk("alice", "bob", 1)
		s.refuses(protocol.UnknownGroup, s.changing(direct, ws.KindLeft, "bob", "bob"))
		s.refuses(protocol.UnknownGroup, s.changing(ws.SystemConversation, ws.KindLeft, "bob", "bob"))
	}},
	{"read", func(s *subject) {
		id := s.knownTalk("alice", "bob", 5)
		s.users("carol")
		mark := &ws.MarkRead{User: "bob", Conversation: id, Seq: 3, At: 70}
		s.holds(mark)
		require.False(s, mark.Unchanged)
		require.Equal(s, uint64(3), mark.Read)
		require.Equal(s, "alice", mark.Peer)
		require.Equal(s, uint64(3), s.stays(id, "bob", 1)[0].Read)
		require.Equal(s, ws.Millis(70), s.stays(id, "bob", 1)[0].ReadAt)
		for _, seq := range []uint64{2, 3} {
			again := &ws.MarkRead{User: "bob", Conversation: id, Seq: seq, At: 80}
			s.holds(again)
			require.True(s, again.Unchanged)
			require.Equal(s, uint64(3), again.Read)
			require.Equal(s, uint64(3), s.stays(id, "bob", 1)[0].Read, "it only rises")
			require.Equal(s, ws.Millis(70), s.stays(id, "bob", 1)[0].ReadAt, "it did not move")
		}
		require.Zero(s, s.stays(id, "alice", 1)[0].Read)
		s.refuses(protocol.BadField, &ws.MarkRead{User: "bob", Conversation: id, Seq: 6})
		s.refuses(protocol.NotMember, &ws.MarkRead{User: "carol", Conversation: id, Seq: 1})
		require.Equal(s, uint64(3), s.stays(id, "bob", 1)[0].Read)
	}},
	{"read, by a member only", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		mark := &ws.MarkRead{User: "bob", Conversation: id, Seq: 1}
		s.holds(mark)
		require.Empty(s, mark.Peer)
		s.holds(s.changing(id, ws.KindLeft, "alice", "bob"))
		s.refuses(protocol.NotMember, &ws.MarkRead{User: "bob", Conversation: id, Seq: 2})
		s.refuses(protocol.NotMember, &ws.MarkRead{User: "alice", Conversation: 4711, Seq: 1})
	}},
}
