package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// recallRules: a recall blanks a message where it stands and is a record itself.
var recallRules = []rule{
	{"blanked", func(s *subject) {
		s.users("alice", "bob")
		send := s.keyed("alice", "bob", "m-1", "secret")
		send.Record.FileType = 2
		s.holds(send, s.message("bob", "alice", "2"))
		id := send.Record.Conversation
		op := s.recalling("alice", id, 1)
		s.holds(op)
		require.False(s, op.Duplicate)
		require.ElementsMatch(s, []string{"alice", "bob"}, op.Members)

		want := send.Record
		want.Body, want.RecalledAt = "", op.Record.CreatedAt
		require.Equal(s, &want, s.record(id, 1))
		require.Equal(s, []uint64{1, 2, 3}, seqsOf(s.page(id)))
		require.Empty(s, s.page(id)[0].Body)

		require.Equal(s, ws.MessageID{Conversation: id, Seq: 3}, op.Record.ID())
		require.Equal(s, &ws.Record{
			Conversation: id, Seq: 3, Kind: ws.KindRecall, Sender: "alice", SenderDevice: "web", RequestID: [16]byte{5},
			Node: "node-1", Target: 1, CreatedAt: op.Record.CreatedAt,
		}, s.record(id, 3))
		require.Equal(s, op.Record.CreatedAt, s.conversation(id).UpdatedAt)
	}},
	{"repeat", func(s *subject) {
		id := s.knownTalk("alice", "bob", 2)
		first := s.recalling("alice", id, 1)
		s.holds(first)
		again := s.recalling("alice", id, 1)
		s.holds(again)
		require.True(s, again.Duplicate)
		require.Equal(s, first.Record, again.Record)
		require.Equal(s, uint64(3), s.conversation(id).Last)
		require.Equal(s, first.Record.CreatedAt, s.record(id, 1).RecalledAt)
	}},
	{"twiceInOneBatch", func(s *subject) {
		id := s.knownTalk("alice", "bob", 1)
		first, again := s.recalling("alice", id, 1), s.recalling("alice", id, 1)
		s.holds(first, again)
		require.True(s, again.Duplicate)
		require.Equal(s, first.Record.ID(), again.Record.ID())
	}},
	{"forbidden", func(s *subject) {
		id := s.knownTalk("alice", "bob", 1)
		s.refuses(protocol.Forbidden, s.recalling("bob", id, 1))
		require.Equal(s, "message 1", s.record(id, 1).Body)
		forced := s.recalling("admin", id, 1)
		forced.Force = true
		s.holds(forced)
		require.Empty(s, s.record(id, 1).Body)
		require.Equal(s, "admin", s.record(id, 2).Sender)
	}},
	{"window", func(s *subject) {
		id := s.knownTalk("alice", "bob", 2)
		late := s.recalling("alice", id, 1)
		late.Window = int64(late.Record.CreatedAt-s.record(id, 1).CreatedAt) - 1
		s.refuses(protocol.Conflict, late)
		require.Equal(s, "message 1", s.record(id, 1).Body)
		require.Equal(s, uint64(2), s.conversation(id).Last)
		late.Force = true
		s.holds(late)
		timely := s.recalling("alice", id, 2)
		timely.Window = int64(timely.Record.CreatedAt-s.record(id, 2).CreatedAt) + 1
		s.holds(timely)
	}},
	{"notFound", func(s *subject) {
		id := s.knownTalk("alice", "bob", 3)
		s.refuses(protocol.NotFound, s.recalling("alice", id, 4))
		s.refuses(protocol.NotFound, s.recalling("alice", 4711, 1))
		s.holds(&ws.Purge{Conversation: id, First: 2})
		s.refuses(protocol.NotFound, s.recalling("alice", id, 1))
	}},
	{"messagesOnly", func(s *subject) {
		s.users("alice")
		group := s.group("g", "alice")
		s.refuses(protocol.NotFound, s.recalling("alice", group, 1))
		id := s.knownTalk("alice", "bob", 1)
		s.holds(s.recalling("alice", id, 1))
		s.refuses(protocol.NotFound, s.recalling("alice", id, 2))
	}},
	{"stillAcknowledged", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 1)
		s.holds(s.recalling("alice", id, 1))
		s.acked("bob", "phone", id, 2)
		require.Empty(s, s.behind("bob", "phone"))
	}},
}
