package wstest

import (
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// recordRules: what is written is read back, with every field.
var recordRules = []rule{
	{"conversations", func(s *subject) {
		ids := []ws.ConversationID{s.knownTalk("alice", "bob", 2), s.knownTalk("alice", "carol", 1), s.group("g", "bob", "carol")}
		slices.Sort(ids)
		var want []ws.Conversation
		for _, id := range ids {
			want = append(want, s.conversation(id))
		}
		all, err := s.Conversations(s.ctx, 0, everything)
		require.NoError(s, err)
		require.Equal(s, want, slices.DeleteFunc(all, func(c ws.Conversation) bool { return c.Kind == ws.System }))
		for i, after := range ids {
			found, err := s.Conversations(s.ctx, after, 1)
			require.NoError(s, err)
			require.ElementsMatch(s, want[min(i+1, len(want)):min(i+2, len(want))], found)
		}
	}},
	{"message", func(s *subject) {
		s.users("bob")
		op := &ws.Send{To: "bob", SenderName: "Alice", Hash: 7, Record: ws.Record{
			Kind: ws.KindMessage, Sender: "alice", SenderDevice: "phone", MsgID: "m-1", RequestID: [16]byte{1, 2, 0, 255},
			Node: "node-9", Body: "häl\x00lo \U0001F600", FileType: 4, Trigger: protocol.TriggerREST, CreatedAt: 1000, ExpireAt: 2000,
		}}
		s.holds(op)
		want := op.Record
		require.NotZero(s, want.Conversation)
		require.Equal(s, uint64(1), want.Seq)
		require.Equal(s, &want, s.record(want.Conversation, 1))
		require.Equal(s, []*ws.Record{&want}, s.page(want.Conversation))
	}},
	{"largeBody", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", strings.Repeat("0123456789abcdef", 1<<15))
		s.holds(op)
		require.Equal(s, op.Record.Body, s.record(op.Record.Conversation, 1).Body)
	}},
	{"directConversation", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		s.holds(op)
		found := s.conversation(op.Record.Conversation)
		require.Equal(s, ws.Conversation{
			ID: op.Record.Conversation, Kind: ws.Direct, Key: ws.DirectKey("alice", "bob"), First: 1, Last: 1,
			MembersVersion: found.MembersVersion, CreatedAt: op.Record.CreatedAt, UpdatedAt: op.Record.CreatedAt,
		}, found)
		byKey, err := s.FindConversation(s.ctx, ws.Direct, ws.DirectKey("bob", "alice"))
		require.NoError(s, err)
		require.Equal(s, found, byKey)
		stay := s.stays(found.ID, "bob", 1)[0]
		require.Equal(s, ws.Stay{Conversation: found.ID, User: "bob", Joined: 1}, stay)
	}},
	{"groupConversation", func(s *subject) {
		s.users("alice", "bob")
		op := &ws.CreateGroup{Key: "g", Name: "Group", By: "alice", Users: []string{"bob"}, Record: ws.Record{
			Sender: "alice", SenderDevice: "web", RequestID: [16]byte{9}, Node: "node-2", CreatedAt: 5000,
		}}
		s.holds(op)
		found := s.conversation(op.Conversation.ID)
		require.Equal(s, ws.Conversation{
			ID: op.Conversation.ID, Kind: ws.Group, Key: "g", Name: "Group", First: 1, Last: 1,
			MembersVersion: found.MembersVersion, CreatedAt: 5000, UpdatedAt: 5000,
		}, found)
		require.Equal(s, found, op.Conversation)
		rec := s.record(found.ID, 1)
		require.Equal(s, ws.KindCreated, rec.Kind)
		require.Equal(s, "alice", rec.Sender)
		require.Equal(s, [16]byte{9}, rec.RequestID)
		require.Equal(s, "node-2", rec.Node)
		require.Equal(s, ws.Millis(5000), rec.CreatedAt)
	}},
	{"user", func(s *subject) {
		s.holds(&ws.PutUser{OpenID: "alice", Name: "Alice", At: 4000})
		found, err := s.User(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, "alice", found.OpenID)
		require.Equal(s, "Alice", found.Name)
		require.Equal(s, ws.Millis(4000), found.FirstSeen)
		require.False(s, found.Banned)
	}},
	{"device", func(s *subject) {
		op := &ws.OpenDevice{User: "alice", Name: "Alice", Device: "phone", At: 4000}
		s.holds(op)
		require.True(s, op.Created)
		require.NotZero(s, op.Epoch)
		found, err := s.Devices(s.ctx, "alice")
		require.NoError(s, err)
		require.Equal(s, []ws.Device{{User: "alice", Name: "phone", Epoch: op.Epoch, CreatedAt: 4000, LastSeen: 4000}}, found)
	}},
	{"receipt", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 2)
		s.holds(&ws.Ack{
			User: "bob", Device: "phone", Conversation: id, From: 1, To: 2, Attempts: 3, Node: "node-7", At: 9000, Cursor: 2, Due: 2,
		})
		want := []ws.Receipt{{
			Conversation: id, User: "bob", Device: "phone", From: 1, To: 2, Node: "node-7", Attempts: 3, At: 9000,
		}}
		require.Equal(s, want, s.receipts("bob", "phone", id, 0))
		found, err := s.ReceiptsOf(s.ctx, ws.MessageID{Conversation: id, Seq: 2})
		require.NoError(s, err)
		require.Equal(s, want, found)
		require.Equal(s, ws.Cursor{Conversation: id, Seq: 2, Due: 2}, s.position("bob", "phone", id).Cursor)
	}},
	{"token", func(s *subject) {
		op := &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{1, 31: 2}, OpenID: "alice", ExpiresAt: 8000}, Name: "Alice", At: 4000}
		s.holds(op)
		token, owner, err := s.Token(s.ctx, [32]byte{1, 31: 2})
		require.NoError(s, err)
		require.Equal(s, ws.Token{Hash: [32]byte{1, 31: 2}, OpenID: "alice", Epoch: owner.TokenEpoch, ExpiresAt: 8000}, token)
		require.Equal(s, token, op.Token)
		require.Equal(s, "Alice", owner.Name)
	}},
	{"scheduled", func(s *subject) {
		s.users("alice", "bob")
		op := &ws.Schedule{Hash: 7, Scheduled: ws.Scheduled{DueAt: 9000, To: "bob", TTL: 50, Draft: ws.Record{
			Kind: ws.KindMessage, Sender: "alice", SenderDevice: "web", MsgID: "m-1", RequestID: [16]byte{3}, Node: "node-1",
			Body: "later", FileType: 2, Trigger: protocol.TriggerREST,
		}}}
		s.holds(op)
		require.NotZero(s, op.Scheduled.ID)
		found, err := s.DueScheduled(s.ctx, 9000, 1)
		require.NoError(s, err)
		require.Equal(s, []ws.Scheduled{op.Scheduled}, found)
	}},
	{"event", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		op.Events = withEvents(ws.Event{
			Topic: "stored", Key: "k", Payload: []byte{0, 1, 2}, State: ws.EventPending, Attempts: 1, NextAttemptAt: 77,
		})
		s.holds(op)
		found := s.events(ws.EventPending)
		require.Len(s, found, 1)
		require.NotZero(s, found[0].ID)
		found[0].ID = 0
		require.Equal(s, ws.Event{
			Topic: "stored", Key: "k", Payload: []byte{0, 1, 2}, State: ws.EventPending, Attempts: 1, NextAttemptAt: 77,
		}, found[0])
	}},
	{"info", func(s *subject) {
		require.NotZero(s, s.Info().Format)
		require.NotZero(s, s.Info().Epoch)
		require.NotZero(s, s.Secret())
	}},
	{"notFound", func(s *subject) {
		_, err := s.User(s.ctx, "nobody")
		require.ErrorIs(s, err, ws.ErrNotFound)
		_, err = s.Conversation(s.ctx, 4711)
		require.ErrorIs(s, err, ws.ErrNotFound)
		_, err = s.FindConversation(s.ctx, ws.Group, "no group")
		require.ErrorIs(s, err, ws.ErrNotFound)
		_, err = s.Record(s.ctx, ws.MessageID{Conversation: 4711, Seq: 1})
		require.ErrorIs(s, err, ws.ErrNotFound)
		_, err = s.Dedup(s.ctx, 4711, "alice", "m-1")
		require.ErrorIs(s, err, ws.ErrNotFound)
		_, _, err = s.Token(s.ctx, [32]byte{1})
		require.ErrorIs(s, err, ws.ErrNotFound)
	}},
	{"nothingListed", func(s *subject) {
		ref := ws.DeviceRef{User: "nobody", Device: "web"}
		users, err := s.Users(s.ctx, []string{"nobody"})
		require.NoError(s, err)
		require.Empty(s, users)
		devices, err := s.Devices(s.ctx, "nobody")
		require.NoError(s, err)
		require.Empty(s, devices)
		stays, err := s.Stays(s.ctx, 4711, "nobody")
		require.NoError(s, err)
		require.Empty(s, stays)
		positions, err := s.Positions(s.ctx, ref, []ws.ConversationID{ws.SystemConversation, 4711})
		require.NoError(s, err)
		require.Empty(s, positions)
		behind, err := s.Behind(s.ctx, ref, 0, everything)
		require.NoError(s, err)
		require.Empty(s, behind)
		updated, err := s.Updated(s.ctx, 0)
		require.NoError(s, err)
		require.Empty(s, updated)
	}},
	{"updated", func(s *subject) {
		s.users("bob", "carol")
		older := s.talk("alice", "bob", 1)
		border := s.message("alice", "carol", "hello")
		s.holds(border)
		heads, err := s.Updated(s.ctx, border.Record.CreatedAt)
		require.NoError(s, err)
		newer := ws.Head{
			Conversation: border.Record.Conversation, Kind: ws.Direct, Key: ws.DirectKey("alice", "carol"),
			Last: 1, UpdatedAt: border.Record.CreatedAt, MembersVersion: s.conversation(border.Record.Conversation).MembersVersion,
		}
		require.Equal(s, []ws.Head{newer}, heads)

		last := s.message("bob", "alice", "again")
		s.holds(last)
		heads, err = s.Updated(s.ctx, border.Record.CreatedAt)
		require.NoError(s, err)
		require.ElementsMatch(s, []ws.Head{newer, {
			Conversation: older, Kind: ws.Direct, Key: ws.DirectKey("alice", "bob"), Last: 2, UpdatedAt: last.Record.CreatedAt,
			MembersVersion: s.conversation(older).MembersVersion,
		}}, heads)
		heads, err = s.Updated(s.ctx, last.Record.CreatedAt+1)
		require.NoError(s, err)
		require.Empty(s, heads)
	}},
	{"updatedMembers", func(s *subject) {
		s.users("alice", "bob", "carol")
		id := s.group("g", "alice", "bob")
		for _, change := range []*ws.Change{
			nil, s.changing(id, ws.KindJoined, "alice", "carol"), s.changing(id, ws.KindLeft, "alice", "bob"), s.changing(id, ws.KindRenamed, "alice", ""),
		} {
			if change != nil {
				s.holds(change)
			}
			heads, err := s.Updated(s.ctx, 0)
			require.NoError(s, err)
			i := slices.IndexFunc(heads, func(h ws.Head) bool { return h.Conversation == id })
			require.GreaterOrEqual(s, i, 0)
			require.Equal(s, s.conversation(id).MembersVersion, heads[i].MembersVersion)
		}
	}},
}
