package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// fireRules: firing turns a delayed message into a sent one, once, if it may still be sent.
var fireRules = []rule{
	{"sent", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		op.Scheduled.TTL = 5000
		op.Scheduled.Draft.FileType, op.Scheduled.Draft.RequestID = 3, [16]byte{8}
		s.holds(op)
		fire := &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick(), Node: "node-2"}
		s.holds(fire)
		want := op.Scheduled.Draft
		want.Conversation, want.Seq, want.Node = fire.Sent.Record.Conversation, 1, "node-2"
		want.CreatedAt, want.ExpireAt = fire.At, fire.At+5000
		require.Equal(s, want, fire.Sent.Record)
		require.ElementsMatch(s, []string{"alice", "bob"}, fire.Sent.Members)
		require.Equal(s, &want, s.record(want.Conversation, 1))
		require.Equal(s, fire.At, s.conversation(want.Conversation).UpdatedAt)
		require.Empty(s, s.due(s.now+1_000_000, everything))
		s.refuses(protocol.NotFound, &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()})
		require.Len(s, s.page(want.Conversation), 1)
	}},
	{"withoutTTL", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "", "later")
		s.holds(op)
		fire := &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()}
		s.holds(fire)
		require.Zero(s, fire.Sent.Record.ExpireAt)
	}},
	{"repeat", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		s.talk("bob", "alice", 1)
		fire := &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()}
		s.holds(fire)
		require.Equal(s, uint64(2), fire.Sent.Record.Seq)
		again, sent := s.scheduling("alice", "bob", "m-1", "later"), s.keyed("alice", "bob", "m-1", "later")
		s.holds(again, sent)
		require.True(s, again.Duplicate)
		require.Equal(s, fire.Sent.Record.ID(), again.Sent)
		require.False(s, again.Cancelled)
		require.True(s, sent.Duplicate)
		require.Equal(s, fire.Sent.Record.ID(), sent.Record.ID())
		require.Zero(s, sent.ScheduledID)
		seq, err := s.Dedup(s.ctx, fire.Sent.Record.Conversation, "alice", "m-1")
		require.NoError(s, err)
		require.Equal(s, uint64(2), seq)
		s.refuses(protocol.Conflict, s.keyed("alice", "bob", "m-1", "other"))
		s.refuses(protocol.NotFound, &ws.CancelScheduled{ID: op.Scheduled.ID})
	}},
	{"twiceInOneBatch", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		first, again := &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()}, &ws.FireScheduled{ID: op.Scheduled.ID, At: s.now}
		s.commit(first, again)
		require.NoError(s, first.Err)
		s.refused(protocol.NotFound, again)
		require.Len(s, s.page(first.Sent.Record.Conversation), 1)
	}},
	{"unknown", func(s *subject) {
		s.refuses(protocol.NotFound, &ws.FireScheduled{ID: 4711, At: s.tick()})
	}},
	{"group", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		op := s.scheduling("alice", "", "m-1", "later")
		op.Scheduled.Group = id
		s.holds(op)
		s.leave(id, "bob")
		fire := &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()}
		s.holds(fire)
		require.Equal(s, ws.MessageID{Conversation: id, Seq: 3}, fire.Sent.Record.ID())
		require.Equal(s, []string{"alice"}, fire.Sent.Members, "as of the moment it is sent")
	}},
	{"senderLeft", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "bob", "alice")
		op := s.scheduling("alice", "", "m-1", "later")
		op.Scheduled.Group = id
		s.holds(op)
		s.leave(id, "alice")
		s.refuses(protocol.NotMember, &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()})
		require.Len(s, s.page(id), 2)
		require.Empty(s, s.due(s.now+1_000_000, everything))
		s.join(id, "alice")
		again := s.post("alice", id, "later")
		again.Record.MsgID = "m-1"
		s.holds(again)
		require.True(s, again.Duplicate)
		require.True(s, again.Cancelled)
	}},
	{"senderBanned", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		s.refuses(protocol.Forbidden, &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()})
		require.Empty(s, s.due(s.now+1_000_000, everything))
		s.holds(&ws.BanUser{OpenID: "alice"})
		s.repeatIsCancelled("alice", "bob", "m-1", "later")
		s.refuses(protocol.NotFound, &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()})
	}},
}
