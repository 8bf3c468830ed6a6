package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// deviceRules: a device starts where the user's devices have come to, and its epoch tells its sessions apart.
var deviceRules = []rule{
	{"epochRises", func(s *subject) {
		last := uint64(0)
		for range 3 {
			op := s.open("alice", "web")
			require.Greater(s, op.Epoch, last)
			require.Equal(s, last == 0, op.Created)
			last = op.Epoch
		}
		devices, err := s.Devices(s.ctx, "alice")
		require.NoError(s, err)
		require.Len(s, devices, 1)
		require.Equal(s, last, devices[0].Epoch)
		require.Less(s, devices[0].CreatedAt, devices[0].LastSeen)
	}},
	{"nameOfTheUser", func(s *subject) {
		s.holds(&ws.OpenDevice{User: "alice", Name: "Alice", Device: "web", At: s.tick()})
		s.holds(&ws.OpenDevice{User: "alice", Device: "web", At: s.tick()})
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "Alice", alice.Name)
		s.holds(&ws.OpenDevice{User: "alice", Name: "Alicia", Device: "web", At: s.tick()})
		alice, err = s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "Alicia", alice.Name)
	}},
	{"firstGetsAll", func(s *subject) {
		id := s.knownTalk("alice", "bob", 3)
		s.open("bob", "phone")
		require.Zero(s, s.cursor("bob", "phone", id))
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
	}},
	{"secondGetsNewer", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 5)
		s.acked("bob", "phone", id, 3)
		s.open("bob", "web")
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 3}, s.position("bob", "web", id).Cursor,
			"it acknowledged nothing itself")
		s.acked("bob", "phone", id, 5)
		require.Equal(s, uint64(3), s.cursor("bob", "web", id), "a device that is there has a cursor of its own")
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "web"))
	}},
	{"startsAtTheHighest", func(s *subject) {
		s.open("bob", "a")
		s.open("bob", "b")
		s.open("bob", "c")
		id, other := s.talk("alice", "bob", 5), s.talk("carol", "bob", 5)
		s.acked("bob", "a", id, 2)
		s.acked("bob", "b", id, 4)
		s.acked("bob", "c", other, 1)
		s.open("bob", "d")
		require.Equal(s, uint64(4), s.cursor("bob", "d", id))
		require.Equal(s, uint64(1), s.cursor("bob", "d", other))
	}},
	{"startsAtADroppedOnes", func(s *subject) {
		op := s.open("bob", "~tab")
		id := s.talk("alice", "bob", 5)
		s.acked("bob", "~tab", id, 4)
		s.holds(&ws.DropDevice{User: "bob", Device: "~tab", Epoch: op.Epoch})
		require.Equal(s, uint64(4), s.stays(id, "bob", 1)[0].Delivered)
		s.open("bob", "phone")
		require.Equal(s, uint64(4), s.cursor("bob", "phone", id))
		again := s.open("bob", "~tab")
		require.True(s, again.Created)
		require.Greater(s, again.Epoch, op.Epoch, "or its session would give way to a route of the old one")
		require.Equal(s, uint64(4), s.cursor("bob", "~tab", id))
		require.Zero(s, s.position("bob", "~tab", id).Cursor.Due, "the cursor went with the device")
	}},
	{"othersDevicesDoNotCount", func(s *subject) {
		s.open("alice", "web")
		id := s.knownTalk("alice", "bob", 3)
		s.acked("alice", "web", id, 3)
		s.open("bob", "web")
		require.Zero(s, s.cursor("bob", "web", id))
	}},
	{"unaskedConversation", func(s *subject) {
		// A conversation that begins after the device starts at its beginning, whatever other devices had elsewhere.
		s.open("bob", "phone")
		first := s.talk("alice", "bob", 2)
		s.acked("bob", "phone", first, 2)
		s.open("bob", "web")
		second := s.talk("carol", "bob", 2)
		require.Zero(s, s.cursor("bob", "web", second))
		require.Zero(s, s.cursor("bob", "phone", second))
	}},
	{"drop", func(s *subject) {
		op := s.open("bob", "phone")
		id := s.talk("alice", "bob", 2)
		s.acked("bob", "phone", id, 2)
		s.holds(&ws.DropDevice{User: "bob", Device: "phone", Epoch: op.Epoch})
		devices, err := s.Devices(s.ctx, "bob")
		require.NoError(s, err)
		require.Empty(s, devices)
		s.refuses(protocol.NotFound, s.acking("bob", "phone", id, 1, 2, 2))
		proofs, err := s.ReceiptsOf(s.ctx, ws.MessageID{Conversation: id, Seq: 1})
		require.NoError(s, err)
		require.Len(s, proofs, 1, "what was delivered stays delivered")
	}},
	{"dropOfAnOlderEpoch", func(s *subject) {
		older := s.open("bob", "~tab")
		s.open("bob", "~tab")
		s.holds(&ws.DropDevice{User: "bob", Device: "~tab", Epoch: older.Epoch})
		devices, err := s.Devices(s.ctx, "bob")
		require.NoError(s, err)
		require.Len(s, devices, 1)
	}},
	{"idle", func(s *subject) {
		s.open("alice", "phone")
		s.open("alice", "~old")
		s.open("bob", "~old")
		border := s.open("bob", "~border").At
		s.open("bob", "~new")
		found, err := s.IdleDevices(s.ctx, border, everything)
		require.NoError(s, err)
		refs := []ws.DeviceRef{}
		for _, device := range found {
			refs = append(refs, ws.DeviceRef{User: device.User, Device: device.Name})
			require.NotZero(s, device.Epoch)
		}
		require.ElementsMatch(s, []ws.DeviceRef{{User: "alice", Device: "~old"}, {User: "bob", Device: "~old"}}, refs)
		found, err = s.IdleDevices(s.ctx, border, 1)
		require.NoError(s, err)
		require.Len(s, found, 1)

		s.holds(&ws.SeenDevice{User: "alice", Device: "~old", At: s.tick()})
		found, err = s.IdleDevices(s.ctx, border, everything)
		require.NoError(s, err)
		require.Len(s, found, 1)
		require.Equal(s, "bob", found[0].User)
		s.holds(&ws.DropDevice{User: "bob", Device: "~old", Epoch: found[0].Epoch})
		found, err = s.IdleDevices(s.ctx, border, everything)
		require.NoError(s, err)
		require.Empty(s, found)
	}},
}

// deviceLimitRules: a user has so many devices; one that was long unused gives way.
var deviceLimitRules = []rule{
	{"refused", func(s *subject) {
		s.users("alice")
		idle := s.now
		s.open("alice", "a")
		s.open("alice", "~b")
		s.refuses(protocol.RateLimited, &ws.OpenDevice{
			User: "alice", Name: "New Name", Device: "c", At: s.tick(), MaxDevices: 2, IdleSince: idle,
		})
		devices, err := s.Devices(s.ctx, "alice")
		require.NoError(s, err)
		require.Len(s, devices, 2)
		alice, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "name of alice", alice.Name)
	}},
	{"knownOneComesBack", func(s *subject) {
		s.open("alice", "a")
		s.open("alice", "b")
		op := &ws.OpenDevice{User: "alice", Device: "a", At: s.tick(), MaxDevices: 2}
		s.holds(op)
		require.Empty(s, op.Dropped)
	}},
	{"longestUnusedGivesWay", func(s *subject) {
		s.open("alice", "a")
		s.open("alice", "b")
		s.open("alice", "c")
		s.holds(&ws.SeenDevice{User: "alice", Device: "a", At: s.tick()})
		op := &ws.OpenDevice{User: "alice", Device: "d", At: s.tick(), MaxDevices: 3, IdleSince: s.now}
		s.holds(op)
		require.True(s, op.Created)
		require.Equal(s, "b", op.Dropped)
		devices, err := s.Devices(s.ctx, "alice")
		require.NoError(s, err)
		names := []string{}
		for _, device := range devices {
			names = append(names, device.Name)
		}
		require.Equal(s, []string{"a", "c", "d"}, names)
	}},
	{"whatItHadStaysHad", func(s *subject) {
		s.open("bob", "old")
		id := s.talk("alice", "bob", 4)
		s.acked("bob", "old", id, 3)
		op := &ws.OpenDevice{User: "bob", Device: "new", At: s.tick(), MaxDevices: 1, IdleSince: s.now}
		s.holds(op)
		require.Equal(s, "old", op.Dropped)
		require.Equal(s, uint64(3), s.cursor("bob", "new", id))
		require.Equal(s, uint64(3), s.stays(id, "bob", 1)[0].Delivered)
		s.refuses(protocol.NotFound, s.acking("bob", "old", id, 4, 4, 4))
	}},
	{"eachUserHasOwn", func(s *subject) {
		s.open("alice", "a")
		s.holds(&ws.OpenDevice{User: "bob", Device: "a", At: s.tick(), MaxDevices: 1})
	}},
}
