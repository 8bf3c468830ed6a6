package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// copyRules: nobody can change the ledger through what it returned or was given.
var copyRules = []rule{
	{"records", func(s *subject) {
		id := s.knownTalk("alice", "bob", 2)
		s.page(id)[0].Body = "changed"
		require.Equal(s, "message 1", s.page(id)[0].Body)
		s.record(id, 1).Body = "changed"
		require.Equal(s, "message 1", s.record(id, 1).Body)
	}},
	{"committedRecord", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		s.holds(op)
		id := op.Record.Conversation
		op.Record.Body, op.Record.Seq = "changed", 9
		require.Equal(s, "hello", s.record(id, 1).Body)
	}},
	{"members", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		s.holds(op)
		id := op.Record.Conversation
		stays, err := s.Members(s.ctx, id)
		require.NoError(s, err)
		stays[0].User, stays[1].Left = "somebody else", 1
		require.Equal(s, []string{"alice", "bob"}, s.members(id))
	}},
	{"stays", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 1)
		s.stays(id, "bob", 1)[0].Left = 1
		s.position("bob", "phone", id).Stays[0].Left = 1
		found, err := s.ConversationsOf(s.ctx, "bob", ws.SystemConversation, 1)
		require.NoError(s, err)
		found[0].Stays[0].Left = 1
		require.Zero(s, s.stays(id, "bob", 1)[0].Left)
		require.Equal(s, []string{"alice", "bob"}, s.members(id))
	}},
	{"users", func(s *subject) {
		users := []string{"bob"}
		s.users("alice", "bob")
		op := &ws.CreateGroup{Key: "g", By: "alice", Users: users, Record: ws.Record{CreatedAt: s.tick()}}
		s.holds(op)
		users[0] = "somebody else"
		require.Equal(s, []string{"alice", "bob"}, s.members(op.Conversation.ID))
	}},
	{"payloads", func(s *subject) {
		s.users("bob")
		op := s.message("alice", "bob", "hello")
		payload := []byte("payload")
		op.Events = withEvents(ws.Event{Topic: "stored", Payload: payload, State: ws.EventPending})
		s.holds(op)
		payload[0] = 'X'
		require.Equal(s, "payload", string(s.events(ws.EventPending)[0].Payload))
		s.events(ws.EventPending)[0].Payload[0] = 'X'
		require.Equal(s, "payload", string(s.events(ws.EventPending)[0].Payload))
	}},
}
