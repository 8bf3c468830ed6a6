package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// stayRules: a user gets what was written during the user's stays, and nothing else.
var stayRules = []rule{
	{"joinLeaveJoin", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice")
		first := s.join(id, "bob")
		s.holds(s.post("alice", id, "inside"))
		left := s.leave(id, "bob")
		s.holds(s.post("alice", id, "between"))
		second := s.join(id, "bob")
		require.Equal(s, []uint64{2, 4, 6}, []uint64{first, left, second})
		stays := s.stays(id, "bob", 2)
		require.Equal(s, ws.Stay{Conversation: id, User: "bob", Joined: 2, Left: 4}, stays[0])
		require.Equal(s, ws.Stay{Conversation: id, User: "bob", Joined: 6}, stays[1])
		require.Equal(s, []string{"alice", "bob"}, s.members(id))
		members, err := s.Members(s.ctx, id)
		require.NoError(s, err)
		require.Equal(s, uint64(6), members[1].Joined, "the stay that lasts")
		covered := []uint64{}
		for seq := uint64(1); seq <= 6; seq++ {
			if stays[0].Covers(seq) || stays[1].Covers(seq) {
				covered = append(covered, seq)
			}
		}
		require.Equal(s, []uint64{2, 3, 4, 6}, covered)
	}},
	{"behindEndsWithTheStay", func(s *subject) {
		s.users("alice")
		s.open("bob", "phone")
		id := s.group("g", "alice", "bob")
		s.holds(s.post("alice", id, "2"))
		left := s.leave(id, "bob")
		s.holds(s.post("alice", id, "4"), s.post("alice", id, "5"))
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
		s.acked("bob", "phone", id, left-1)
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"), "the leave itself is covered")
		s.acked("bob", "phone", id, left)
		require.Empty(s, s.behind("bob", "phone"))
	}},
	{"behindBetweenStays", func(s *subject) {
		s.users("alice")
		s.open("bob", "phone")
		id := s.group("g", "alice", "bob")
		left := s.leave(id, "bob")
		s.acked("bob", "phone", id, left)
		s.holds(s.post("alice", id, "between"))
		require.Empty(s, s.behind("bob", "phone"))
		again := s.join(id, "bob")
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
		s.holds(s.acking("bob", "phone", id, again, again, again))
		require.Empty(s, s.behind("bob", "phone"))
		s.leave(id, "bob")
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
	}},
	{"positionOfSeveralStays", func(s *subject) {
		s.users("alice")
		s.open("bob", "phone")
		id := s.group("g", "alice")
		s.join(id, "bob")
		s.leave(id, "bob")
		s.holds(s.post("alice", id, "between"))
		s.join(id, "bob")
		position := s.position("bob", "phone", id)
		require.Equal(s, s.stays(id, "bob", 2), position.Stays)
		require.Equal(s, uint64(1), position.Cursor.Seq, "nothing of the first stay was had")
		require.Equal(s, s.conversation(id), position.Conversation)
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
	}},
	{"cursorSurvivesLeaving", func(s *subject) {
		s.users("alice")
		s.open("bob", "phone")
		id := s.group("g", "alice", "bob")
		s.holds(s.post("alice", id, "2"))
		s.acked("bob", "phone", id, 2)
		s.leave(id, "bob")
		s.join(id, "bob")
		require.Equal(s, uint64(2), s.cursor("bob", "phone", id))
		s.open("bob", "web")
		require.Equal(s, uint64(2), s.cursor("bob", "web", id))
	}},
	{"leftIsStillListed", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		s.leave(id, "bob")
		found, err := s.ConversationsOf(s.ctx, "bob", ws.SystemConversation, everything)
		require.NoError(s, err)
		require.Len(s, found, 1)
		require.Equal(s, s.conversation(id), found[0].Conversation)
		require.Equal(s, s.stays(id, "bob", 1), found[0].Stays)
	}},
	{"joinedAndLeftInOneBatch", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice")
		s.holds(
			s.changing(id, ws.KindJoined, "alice", "bob"), s.changing(id, ws.KindLeft, "alice", "bob"),
			s.changing(id, ws.KindJoined, "alice", "bob"),
		)
		stays := s.stays(id, "bob", 2)
		require.Equal(s, []uint64{2, 3, 4}, []uint64{stays[0].Joined, stays[0].Left, stays[1].Joined})
		require.Zero(s, stays[1].Left)
	}},
}
