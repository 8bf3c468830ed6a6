package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// dedupRules: a msgid takes effect once for its sender in its conversation.
var dedupRules = []rule{
	{"repeat", func(s *subject) {
		s.users("bob")
		first := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(first)
		s.talk("alice", "bob", 2)
		again := s.keyed("alice", "bob", "m-1", "hello")
		again.Events = withEvents(ws.Event{Topic: "stored", State: ws.EventPending})
		s.holds(again)
		require.True(s, again.Duplicate)
		require.Equal(s, first.Record.ID(), again.Record.ID())
		require.Zero(s, again.ScheduledID)
		require.False(s, again.Cancelled)
		require.Len(s, s.page(first.Record.Conversation), 3)
		require.Empty(s, s.events(ws.EventPending), "a repeat has no events")

		seq, err := s.Dedup(s.ctx, first.Record.Conversation, "alice", "m-1")
		require.NoError(s, err)
		require.Equal(s, uint64(1), seq)
	}},
	{"otherContent", func(s *subject) {
		s.users("bob")
		first := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(first)
		s.refuses(protocol.Conflict, s.keyed("alice", "bob", "m-1", "something else"))
		require.Len(s, s.page(first.Record.Conversation), 1)
		again := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(again)
		require.True(s, again.Duplicate)
	}},
	{"otherSender", func(s *subject) {
		s.users("bob")
		s.holds(s.keyed("alice", "bob", "m-1", "hello"))
		op := s.keyed("bob", "alice", "m-1", "something else")
		s.holds(op)
		require.False(s, op.Duplicate)
		require.Equal(s, uint64(2), op.Record.Seq)
	}},
	{"otherConversation", func(s *subject) {
		s.users("alice", "bob", "carol")
		group := s.group("g", "alice", "bob")
		toBob, toCarol, toGroup := s.keyed("alice", "bob", "m-1", "1"), s.keyed("alice", "carol", "m-1", "2"), s.post("alice", group, "3")
		toGroup.Record.MsgID = "m-1"
		s.holds(toBob, toCarol, toGroup)
		for _, op := range []*ws.Send{toBob, toCarol, toGroup} {
			require.False(s, op.Duplicate)
			seq, err := s.Dedup(s.ctx, op.Record.Conversation, "alice", "m-1")
			require.NoError(s, err)
			require.Equal(s, op.Record.Seq, seq)
		}
	}},
	{"withoutMsgID", func(s *subject) {
		s.users("bob")
		first, second := s.message("alice", "bob", "hello"), s.message("alice", "bob", "hello")
		s.holds(first, second)
		require.False(s, second.Duplicate)
		require.Equal(s, uint64(2), second.Record.Seq)
		_, err := s.Dedup(s.ctx, first.Record.Conversation, "alice", "")
		require.ErrorIs(s, err, ws.ErrNotFound)
	}},
	{"keysApart", func(s *subject) {
		s.users("bob", "a", "ab")
		first, second := s.keyed("a", "bob", "bc", "1"), s.keyed("ab", "bob", "c", "2")
		s.holds(first, second)
		require.False(s, second.Duplicate)
		_, err := s.Dedup(s.ctx, first.Record.Conversation, "ab", "c")
		require.ErrorIs(s, err, ws.ErrNotFound)
		_, err = s.Dedup(s.ctx, first.Record.Conversation, "a", "b")
		require.ErrorIs(s, err, ws.ErrNotFound)
	}},
	{"refusedIsForgotten", func(s *subject) {
		s.refuses(protocol.UnknownUser, s.keyed("alice", "bob", "m-1", "hello"))
		s.users("bob")
		op := s.keyed("alice", "bob", "m-1", "other content")
		s.holds(op)
		require.False(s, op.Duplicate)
	}},
	{"answeredBeforeMembership", func(s *subject) {
		// Whoever repeats after leaving, or after a ban, learns what became of the message.
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		first := s.post("bob", id, "hello")
		first.Record.MsgID = "m-1"
		s.holds(first)
		s.leave(id, "bob")
		s.holds(&ws.BanUser{OpenID: "bob", Banned: true})
		again := s.post("bob", id, "hello")
		again.Record.MsgID = "m-1"
		s.holds(again)
		require.True(s, again.Duplicate)
		require.Equal(s, first.Record.ID(), again.Record.ID())
	}},
	{"recalled", func(s *subject) {
		s.users("bob")
		first := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(first)
		s.holds(s.recalling("alice", first.Record.Conversation, 1))
		again := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(again)
		require.True(s, again.Duplicate)
		require.Equal(s, uint64(1), again.Record.Seq)
	}},
}
