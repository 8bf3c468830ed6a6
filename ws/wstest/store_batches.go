package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// batchRules: ops apply in order, each sees the ones before it, and one that is refused is refused alone.
var batchRules = []rule{
	{"empty", func(s *subject) {
		s.commit()
	}},
	{"sameMsgIDTwice", func(s *subject) {
		s.users("bob")
		first, second := s.keyed("alice", "bob", "m-1", "hello"), s.keyed("alice", "bob", "m-1", "hello")
		s.holds(first, second)
		require.False(s, first.Duplicate)
		require.True(s, second.Duplicate)
		require.Equal(s, first.Record.ID(), second.Record.ID())
		require.Len(s, s.page(first.Record.Conversation), 1)
	}},
	{"userMadeKnownAndWrittenTo", func(s *subject) {
		send := s.message("alice", "bob", "hello")
		s.holds(&ws.PutUser{OpenID: "bob", At: s.tick()}, send)
	}},
	{"deviceOpenedAndAcking", func(s *subject) {
		id := s.knownTalk("alice", "bob", 2)
		s.holds(&ws.OpenDevice{User: "bob", Device: "phone", At: s.tick()}, s.acking("bob", "phone", id, 1, 2, 2))
		require.Equal(s, uint64(2), s.cursor("bob", "phone", id))
		require.Len(s, s.receipts("bob", "phone", id, 0), 1)
	}},
	{"sentAndAcknowledged", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 1)
		s.holds(s.message("alice", "bob", "2"), s.acking("bob", "phone", id, 1, 2, 2))
		require.Empty(s, s.behind("bob", "phone"))
	}},
	{"sentAndRecalled", func(s *subject) {
		id := s.knownTalk("alice", "bob", 1)
		recall := s.recalling("alice", id, 2)
		s.holds(s.message("alice", "bob", "secret"), recall)
		require.Empty(s, s.record(id, 2).Body)
		require.Equal(s, uint64(3), recall.Record.Seq)
	}},
	{"groupMadeAndJoined", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob")
		send := s.post("carol", id, "hello")
		early := s.post("carol", id, "too early")
		s.commit(early, s.changing(id, ws.KindJoined, "alice", "carol"), send)
		s.refused(protocol.NotMember, early)
		require.NoError(s, send.Err)
		require.ElementsMatch(s, []string{"alice", "bob", "carol"}, send.Members)
	}},
	{"bannedAndUnbanned", func(s *subject) {
		s.users("alice", "bob")
		during, after := s.message("alice", "bob", "1"), s.message("alice", "bob", "2")
		s.commit(&ws.BanUser{OpenID: "alice", Banned: true}, during, &ws.BanUser{OpenID: "alice"}, after)
		s.refused(protocol.Forbidden, during)
		require.NoError(s, after.Err)
	}},
	{"openedTwice", func(s *subject) {
		first := &ws.OpenDevice{User: "alice", Device: "web", At: s.tick()}
		second := &ws.OpenDevice{User: "alice", Device: "web", At: s.tick()}
		s.holds(first, second)
		require.True(s, first.Created)
		require.False(s, second.Created)
		require.Greater(s, second.Epoch, first.Epoch)
	}},
	{"droppedAndOpened", func(s *subject) {
		first := s.open("alice", "~tab")
		again := &ws.OpenDevice{User: "alice", Device: "~tab", At: s.tick()}
		s.holds(&ws.DropDevice{User: "alice", Device: "~tab", Epoch: first.Epoch}, again)
		require.True(s, again.Created)
	}},
	{"acknowledgedAndDropped", func(s *subject) {
		device := s.open("bob", "~tab")
		id := s.talk("alice", "bob", 3)
		again := &ws.OpenDevice{User: "bob", Device: "~tab", At: s.tick()}
		s.holds(s.acking("bob", "~tab", id, 1, 2, 2), &ws.DropDevice{User: "bob", Device: "~tab", Epoch: device.Epoch}, again)
		require.True(s, again.Created)
		require.Len(s, s.proofs(id, 1), 1)
		require.Equal(s, uint64(2), s.cursor("bob", "~tab", id))
		require.Equal(s, uint64(2), s.stays(id, "bob", 1)[0].Delivered)
	}},
	{"acknowledgedAndPurged", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 3)
		s.holds(s.run(id, 1, 1, 0), s.run(id, 2, 2, 1), &ws.Purge{Conversation: id, First: 2}, s.run(id, 3, 3, 1))
		require.Equal(s, [][2]uint64{{2, 3}}, s.runs(id, 0))
	}},
	{"leftAndSent", func(s *subject) {
		s.users("alice", "bob")
		id := s.group("g", "alice", "bob")
		before, after := s.post("bob", id, "1"), s.post("bob", id, "2")
		s.commit(before, s.changing(id, ws.KindLeft, "bob", "bob"), after)
		require.NoError(s, before.Err)
		s.refused(protocol.NotMember, after)
	}},
	{"eventWrittenAndDone", func(s *subject) {
		s.written("a")
		id := s.events(ws.EventPending)[0].ID
		send := s.message("alice", "bob", "hello")
		send.Events = withEvents(ws.Event{Topic: "stored", Key: "b", State: ws.EventPending})
		s.holds(send, &ws.PutEvent{ID: id, State: ws.EventDead}, &ws.PutEvent{ID: id, State: ws.EventDone})
		events := s.events(ws.EventPending)
		require.Len(s, events, 1)
		require.Equal(s, "b", events[0].Key)
		require.Empty(s, s.events(ws.EventDead))
	}},
	{"sentAndPurged", func(s *subject) {
		id := s.knownTalk("alice", "bob", 1)
		s.holds(s.message("alice", "bob", "2"), &ws.Purge{Conversation: id, First: 3}, s.message("alice", "bob", "3"))
		require.Equal(s, []uint64{3}, seqsOf(s.page(id)))
	}},
	{"scheduledAndCancelledTwice", func(s *subject) {
		s.users("alice", "bob")
		first := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(first)
		cancel := &ws.CancelScheduled{ID: first.Scheduled.ID}
		again := &ws.CancelScheduled{ID: first.Scheduled.ID}
		s.commit(cancel, again)
		require.NoError(s, cancel.Err)
		s.refused(protocol.NotFound, again)
	}},
	{"refusedAlone", func(s *subject) {
		s.users("bob")
		before, after := s.message("alice", "bob", "1"), s.message("alice", "bob", "2")
		stranger, ack := s.message("alice", "nobody", "x"), s.acking("bob", "no device", 1, 1, 1, 1)
		s.commit(before, stranger, ack, after)
		s.refused(protocol.UnknownUser, stranger)
		s.refused(protocol.NotFound, ack)
		require.NoError(s, before.Err)
		require.NoError(s, after.Err)
		require.Equal(s, []uint64{1, 2}, seqsOf(s.page(before.Record.Conversation)))
	}},
	{"refusedChangesNothing", refusedChangesNothing},
	{"committedAgain", func(s *subject) {
		// The engine commits the same items again after a batch failed: what an earlier try left in them is void.
		send := s.keyed("alice", "bob", "m-1", "hello")
		s.refuses(protocol.UnknownUser, send)
		s.users("bob")
		s.holds(send)
		require.False(s, send.Duplicate)
		require.Equal(s, uint64(1), send.Record.Seq)
		s.holds(send)
		require.True(s, send.Duplicate)
		require.Equal(s, uint64(1), send.Record.Seq)
		other := s.message("alice", "bob", "without a key")
		s.holds(other)
		s.holds(other)
		require.Equal(s, uint64(3), other.Record.Seq)
		require.Len(s, s.page(send.Record.Conversation), 3)
	}},
}

// refusedChangesNothing: nothing of a refused op is seen, not even what it would have done before it was refused.
func refusedChangesNothing(s *subject) {
	s.refuses(protocol.UnknownUser, s.message("newcomer", "nobody", "hello"))
	require.False(s, s.known("newcomer"))
	require.False(s, s.known("nobody"))

	s.users("alice", "bob")
	group := s.group("g", "alice")
	s.refuses(protocol.NotMember, s.post("newcomer", group, "hello"))
	require.False(s, s.known("newcomer"))
	require.Equal(s, uint64(1), s.conversation(group).Last)

	s.refuses(protocol.UnknownUser, &ws.CreateGroup{Key: "h", By: "alice", Users: []string{"bob", "nobody"}})
	_, err := s.FindConversation(s.ctx, ws.Group, "h")
	require.ErrorIs(s, err, ws.ErrNotFound)

	s.holds(&ws.BanUser{OpenID: "bob", Banned: true})
	s.refuses(protocol.Forbidden, &ws.OpenDevice{User: "bob", Name: "new name", Device: "web", At: s.tick()})
	devices, err := s.Devices(s.ctx, "bob")
	require.NoError(s, err)
	require.Empty(s, devices)
	bob, err := s.User(s.ctx, "bob")
	require.NoError(s, err)
	require.Equal(s, "name of bob", bob.Name)

	refused := s.message("bob", "alice", "hello")
	refused.Events = withEvents(ws.Event{Topic: "stored", State: ws.EventPending})
	s.refuses(protocol.Forbidden, refused)
	_, err = s.FindConversation(s.ctx, ws.Direct, ws.DirectKey("alice", "bob"))
	require.ErrorIs(s, err, ws.ErrNotFound)
	require.Empty(s, s.events(ws.EventPending))
}
