package wstest

import (
	"strconv"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// positionRules: what a device still has to get is found page by page, by conversation.
var positionRules = []rule{
	{"named", func(s *subject) {
		s.open("bob", "phone")
		mine, other := s.talk("alice", "bob", 2), s.knownTalk("alice", "carol", 2)
		s.acked("bob", "phone", mine, 1)
		found, err := s.Positions(s.ctx, ws.DeviceRef{User: "bob", Device: "phone"}, []ws.ConversationID{other, mine, 4711})
		require.NoError(s, err)
		require.Len(s, found, 1, "where the user has a stay")
		require.Equal(s, ws.Position{
			Conversation: s.conversation(mine), Cursor: ws.Cursor{Conversation: mine, Seq: 1, Due: 1}, Stays: s.stays(mine, "bob", 1),
		}, found[0])
	}},
	{"behind", func(s *subject) {
		s.open("bob", "phone")
		first, second := s.talk("alice", "bob", 2), s.talk("carol", "bob", 1)
		s.acked("bob", "phone", second, 1)
		found, err := s.Behind(s.ctx, ws.DeviceRef{User: "bob", Device: "phone"}, 0, everything)
		require.NoError(s, err)
		require.Equal(s, []ws.Position{s.position("bob", "phone", first)}, found)
		s.acked("bob", "phone", first, 1)
		require.Equal(s, []ws.ConversationID{first}, s.behind("bob", "phone"))
		s.acked("bob", "phone", first, 2)
		require.Empty(s, s.behind("bob", "phone"))
		s.talk("carol", "bob", 1)
		require.Equal(s, []ws.ConversationID{second}, s.behind("bob", "phone"))
	}},
	{"behindByPages", func(s *subject) {
		s.open("bob", "phone")
		for i := range 7 {
			s.talk("sender-"+strconv.Itoa(i), "bob", 1)
		}
		had := s.talk("sender-3", "bob", 1)
		s.acked("bob", "phone", had, 2)
		all := s.behind("bob", "phone")
		require.Len(s, all, 6)
		require.IsIncreasing(s, all)
		ref := ws.DeviceRef{User: "bob", Device: "phone"}
		byPages := []ws.ConversationID{}
		for after := ws.ConversationID(0); ; {
			found, err := s.Behind(s.ctx, ref, after, 2)
			require.NoError(s, err)
			require.LessOrEqual(s, len(found), 2)
			for _, position := range found {
				after = position.Conversation.ID
				byPages = append(byPages, after)
			}
			if len(found) < 2 {
				break
			}
		}
		require.Equal(s, all, byPages)
	}},
	{"lagging", func(s *subject) {
		for _, user := range []string{"bob", "carol", "dave"} {
			s.open(user, "phone")
		}
		s.open("bob", "web")
		behind := s.talk("alice", "bob", 2)
		s.talk("alice", "carol", 1)
		s.acked("bob", "phone", behind, 2)
		bob, web := ws.DeviceRef{User: "bob", Device: "phone"}, ws.DeviceRef{User: "bob", Device: "web"}
		carol, dave := ws.DeviceRef{User: "carol", Device: "phone"}, ws.DeviceRef{User: "dave", Device: "phone"}
		stranger := ws.DeviceRef{User: "nobody", Device: "phone"}
		lagging, err := s.Lagging(s.ctx, []ws.DeviceRef{bob, web, carol, dave, stranger})
		require.NoError(s, err)
		require.ElementsMatch(s, []ws.DeviceRef{web, carol}, lagging)
		lagging, err = s.Lagging(s.ctx, nil)
		require.NoError(s, err)
		require.Empty(s, lagging)
		s.talk("alice", "bob", 1)
		lagging, err = s.Lagging(s.ctx, []ws.DeviceRef{bob})
		require.NoError(s, err)
		require.Equal(s, []ws.DeviceRef{bob}, lagging)
	}},
	{"conversationsByPages", func(s *subject) {
		s.users("alice")
		for i := range 5 {
			s.users("friend-" + strconv.Itoa(i))
			s.talk("alice", "friend-"+strconv.Itoa(i), 1)
		}
		all, err := s.ConversationsOf(s.ctx, "alice", 0, everything)
		require.NoError(s, err)
		require.Len(s, all, 6, "the system conversation too")
		byPages := []ws.Membership{}
		for after := ws.ConversationID(0); ; {
			found, err := s.ConversationsOf(s.ctx, "alice", after, 4)
			require.NoError(s, err)
			for _, membership := range found {
				require.Greater(s, membership.Conversation.ID, after)
				after = membership.Conversation.ID
			}
			byPages = append(byPages, found...)
			if len(found) < 4 {
				break
			}
		}
		require.Equal(s, all, byPages)
	}},
	{"nobodyElses", func(s *subject) {
		s.open("bo", "phone")
		s.open("bob", "phone")
		s.talk("alice", "bob", 1)
		require.Empty(s, s.behind("bo", "phone"))
		found, err := s.ConversationsOf(s.ctx, "bo", ws.SystemConversation, everything)
		require.NoError(s, err)
		require.Empty(s, found)
		devices, err := s.Devices(s.ctx, "bo")
		require.NoError(s, err)
		require.Len(s, devices, 1)
	}},
}
