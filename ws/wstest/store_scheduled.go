package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// scheduleRules: a delayed message takes its msgid from the moment it is scheduled.
var scheduleRules = []rule{
	{"waits", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		require.False(s, op.Duplicate)
		s.open("bob", "phone")
		require.Empty(s, s.behind("bob", "phone"))
		send := s.message("alice", "bob", "now")
		s.holds(send)
		require.Equal(s, uint64(1), send.Record.Seq, "it takes no position before it is sent")
		_, err := s.Dedup(s.ctx, send.Record.Conversation, "alice", "m-1")
		require.ErrorIs(s, err, ws.ErrNotFound)
	}},
	{"due", func(s *subject) {
		s.users("alice", "bob")
		ids := map[ws.Millis]uint64{}
		for _, at := range []ws.Millis{3000, 1000, 2000, 1_000_000} {
			op := s.scheduling("alice", "bob", "", "later")
			op.Scheduled.DueAt = at
			s.holds(op)
			ids[at] = op.Scheduled.ID
		}
		require.Len(s, ids, 4)
		require.Equal(s, []uint64{ids[1000], ids[2000]}, s.due(2000, everything))
		require.Equal(s, []uint64{ids[1000], ids[2000], ids[3000]}, s.due(999_999, everything), "the earliest first")
		require.Equal(s, []uint64{ids[1000]}, s.due(3000, 1))
		require.Empty(s, s.due(999, everything))
		s.holds(&ws.CancelScheduled{ID: ids[1000]}, &ws.FireScheduled{ID: ids[3000], At: 3000})
		require.Equal(s, []uint64{ids[2000]}, s.due(999_999, everything))
	}},
	{"repeatWhileItWaits", func(s *subject) {
		s.users("alice", "bob")
		first := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(first)
		again, sent := s.scheduling("alice", "bob", "m-1", "later"), s.keyed("alice", "bob", "m-1", "later")
		s.holds(again, sent)
		require.True(s, again.Duplicate)
		require.Equal(s, first.Scheduled.ID, again.Scheduled.ID)
		require.Zero(s, again.Sent)
		require.False(s, again.Cancelled)
		require.True(s, sent.Duplicate)
		require.Equal(s, first.Scheduled.ID, sent.ScheduledID)
		require.False(s, sent.Cancelled)
		require.Zero(s, sent.Record.Seq)
		require.Len(s, s.due(s.now+1_000_000, everything), 1)
		s.refuses(protocol.Conflict, s.scheduling("alice", "bob", "m-1", "other"))
		s.refuses(protocol.Conflict, s.keyed("alice", "bob", "m-1", "other"))
	}},
	{"repeatOfASentOne", func(s *subject) {
		s.users("alice", "bob")
		s.holds(s.keyed("alice", "bob", "m-1", "now"))
		op := s.scheduling("alice", "bob", "m-1", "now")
		s.holds(op)
		require.True(s, op.Duplicate)
		require.Equal(s, uint64(1), op.Sent.Seq)
		require.Empty(s, s.due(s.now+1_000_000, everything))
		s.refuses(protocol.Conflict, s.scheduling("alice", "bob", "m-1", "other"))
	}},
	{"otherSenderAndConversation", func(s *subject) {
		s.users("alice", "bob", "carol")
		for _, op := range []*ws.Schedule{
			s.scheduling("alice", "bob", "m-1", "1"), s.scheduling("bob", "alice", "m-1", "2"), s.scheduling("alice", "carol", "m-1", "3"),
		} {
			s.holds(op)
			require.False(s, op.Duplicate)
		}
		require.Len(s, s.due(s.now+1_000_000, everything), 3)
	}},
	{"withoutMsgID", func(s *subject) {
		s.users("alice", "bob")
		s.holds(s.scheduling("alice", "bob", "", "later"), s.scheduling("alice", "bob", "", "later"))
		require.Len(s, s.due(s.now+1_000_000, everything), 2)
	}},
	{"refused", func(s *subject) {
		s.users("alice", "bob")
		s.refuses(protocol.UnknownUser, s.scheduling("alice", "nobody", "m-1", "later"))
		toGroup := s.scheduling("alice", "", "m-1", "later")
		toGroup.Scheduled.Group = 4711
		s.refuses(protocol.UnknownGroup, toGroup)
		toGroup.Scheduled.Group = s.group("g", "bob")
		s.refuses(protocol.NotMember, toGroup)
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		s.refuses(protocol.Forbidden, s.scheduling("alice", "bob", "m-1", "later"))
		require.Empty(s, s.due(s.now+1_000_000, everything))
		s.holds(&ws.BanUser{OpenID: "alice"})
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		require.False(s, op.Duplicate)
	}},
	{"makesKnown", func(s *subject) {
		op := s.scheduling("alice", "bob", "m-1", "later")
		op.CreateUsers, op.SenderName = true, "Alice"
		s.holds(op)
		for user, name := range map[string]string{"alice": "Alice", "bob": ""} {
			known, err := s.User(s.ctx, user)
			require.NoError(s, err)
			require.Equal(s, name, known.Name)
		}
		s.holds(&ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()})
	}},
	{"cancelled", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		s.refuses(protocol.Forbidden, &ws.CancelScheduled{ID: op.Scheduled.ID, By: "bob"})
		require.Len(s, s.due(s.now+1_000_000, everything), 1)
		s.holds(&ws.CancelScheduled{ID: op.Scheduled.ID, By: "alice"})
		require.Empty(s, s.due(s.now+1_000_000, everything))
		s.refuses(protocol.NotFound, &ws.CancelScheduled{ID: op.Scheduled.ID, By: "alice"})
		s.refuses(protocol.NotFound, &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick()})
		s.repeatIsCancelled("alice", "bob", "m-1", "later")
	}},
	{"cancelUnknown", func(s *subject) {
		s.refuses(protocol.NotFound, &ws.CancelScheduled{ID: 4711})
	}},
}

// due lists the ids of what is due.
func (s *subject) due(t ws.Millis, limit int) []uint64 {
	s.Helper()
	found, err := s.DueScheduled(s.ctx, t, limit)
	require.NoError(s, err)
	ids := []uint64{}
	for _, scheduled := range found {
		ids = append(ids, scheduled.ID)
	}
	return ids
}

// repeatIsCancelled checks that a message stays cancelled, however it is repeated.
func (s *subject) repeatIsCancelled(from, to, msgid, body string) {
	s.Helper()
	again, sent := s.scheduling(from, to, msgid, body), s.keyed(from, to, msgid, body)
	s.holds(again, sent)
	require.True(s, again.Duplicate)
	require.True(s, again.Cancelled)
	require.Zero(s, again.Sent)
	require.True(s, sent.Duplicate)
	require.True(s, sent.Cancelled)
	require.Zero(s, sent.ScheduledID)
	require.Zero(s, sent.Record.Seq)
	s.refuses(protocol.Conflict, s.keyed(from, to, msgid, body+" other"))
	if c, err := s.FindConversation(s.ctx, ws.Direct, ws.DirectKey(from, to)); err == nil {
		_, err := s.Dedup(s.ctx, c.ID, from, msgid)
		require.ErrorIs(s, err, ws.ErrNotFound)
	}
}
