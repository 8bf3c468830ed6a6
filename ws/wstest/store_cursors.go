package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// cursorRules: a cursor only rises, and what is acknowledged past it waits as a receipt.
var cursorRules = []rule{
	{"greaterOfOldAndNew", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 6)
		s.holds(&ws.Ack{User: "bob", Device: "phone", Conversation: id, From: 1, To: 4, Cursor: 5, Due: 4})
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 5, Due: 4}, s.position("bob", "phone", id).Cursor)
		s.holds(&ws.Ack{User: "bob", Device: "phone", Conversation: id, From: 2, To: 2, Cursor: 2, Due: 2})
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 5, Due: 4}, s.position("bob", "phone", id).Cursor)
		s.holds(&ws.Ack{User: "bob", Device: "phone", Conversation: id, From: 6, To: 6, Cursor: 6, Due: 6})
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 6, Due: 6}, s.position("bob", "phone", id).Cursor)
	}},
	{"greaterInOneBatch", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 5)
		s.holds(s.acking("bob", "phone", id, 1, 4, 4), s.acking("bob", "phone", id, 2, 3, 3))
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 4, Due: 4}, s.position("bob", "phone", id).Cursor)
	}},
	{"only", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 3)
		s.holds(&ws.Ack{User: "bob", Device: "phone", Conversation: id, Cursor: 2})
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 2}, s.position("bob", "phone", id).Cursor)
		s.holds(&ws.Ack{User: "bob", Device: "phone", Conversation: id, To: 3, Cursor: 3})
		require.Equal(s, uint64(3), s.cursor("bob", "phone", id))
		require.Empty(s, s.receipts("bob", "phone", id, 0))
	}},
	{"overHoles", func(s *subject) {
		// What was passed over has no receipt; the cursor covers it.
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 4)
		s.holds(s.acking("bob", "phone", id, 1, 1, 1), s.acking("bob", "phone", id, 4, 4, 4))
		require.Equal(s, uint64(4), s.cursor("bob", "phone", id))
		require.Empty(s, s.behind("bob", "phone"))
		found, err := s.ReceiptsOf(s.ctx, ws.MessageID{Conversation: id, Seq: 2})
		require.NoError(s, err)
		require.Empty(s, found)
	}},
	{"outOfOrder", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 4)
		s.holds(s.acking("bob", "phone", id, 3, 3, 0))
		require.Zero(s, s.cursor("bob", "phone", id))
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
		require.Len(s, s.receipts("bob", "phone", id, 0), 1)
		s.holds(s.acking("bob", "phone", id, 1, 2, 3))
		require.Equal(s, uint64(3), s.cursor("bob", "phone", id))
		require.Empty(s, s.receipts("bob", "phone", id, 3))
	}},
	{"ownOfEachDevice", func(s *subject) {
		s.open("bob", "phone")
		s.open("bob", "web")
		id := s.talk("alice", "bob", 3)
		s.acked("bob", "phone", id, 3)
		require.Zero(s, s.cursor("bob", "web", id))
		require.Empty(s, s.behind("bob", "phone"))
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "web"))
	}},
	{"pastTheHead", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 2)
		s.refuses(protocol.BadField, s.acking("bob", "phone", id, 1, 3, 2))
		s.refuses(protocol.BadField, s.acking("bob", "phone", id, 1, 2, 3))
		s.refuses(protocol.BadField, s.acking("bob", "phone", id, 0, 0, 3))
		require.Zero(s, s.cursor("bob", "phone", id))
		require.Empty(s, s.receipts("bob", "phone", id, 0))
	}},
	{"unknownDevice", func(s *subject) {
		id := s.knownTalk("alice", "bob", 2)
		s.refuses(protocol.NotFound, s.acking("bob", "phone", id, 1, 1, 1))
		devices, err := s.Devices(s.ctx, "bob")
		require.NoError(s, err)
		require.Empty(s, devices)
	}},
	{"noStay", func(s *subject) {
		id := s.knownTalk("alice", "bob", 2)
		s.open("carol", "phone")
		s.refuses(protocol.NotFound, s.acking("carol", "phone", id, 1, 1, 1))
		s.refuses(protocol.NotFound, s.acking("carol", "phone", 4711, 1, 1, 1))
		found, err := s.ReceiptsOf(s.ctx, ws.MessageID{Conversation: id, Seq: 1})
		require.NoError(s, err)
		require.Empty(s, found)
	}},
	{"startOfTheStay", func(s *subject) {
		s.users("alice")
		s.open("bob", "phone")
		id := s.group("g", "alice")
		s.holds(s.post("alice", id, "2"), s.post("alice", id, "3"))
		joined := s.join(id, "bob")
		require.Equal(s, uint64(4), joined)
		require.Equal(s, uint64(3), s.cursor("bob", "phone", id))
		s.holds(s.acking("bob", "phone", id, 0, 0, 1))
		require.Equal(s, uint64(3), s.cursor("bob", "phone", id), "it never falls below the start")
	}},
	{"events", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 1)
		good, bad := s.acking("bob", "phone", id, 1, 1, 1), s.acking("bob", "phone", id, 2, 2, 2)
		good.Events = []ws.Event{{Topic: "delivered", Key: "good", State: ws.EventPending}}
		bad.Events = []ws.Event{{Topic: "delivered", Key: "bad", State: ws.EventPending}}
		s.commit(good, bad)
		require.NoError(s, good.Err)
		s.refused(protocol.BadField, bad)
		events := s.events(ws.EventPending)
		require.Len(s, events, 1)
		require.Equal(s, "good", events[0].Key)
	}},
}
