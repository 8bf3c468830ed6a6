package wstest

import (
	"strconv"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// outboxRules: an event is written with its cause or not at all, and stays until somebody says it is done.
var outboxRules = []rule{
	{"withTheCause", func(s *subject) {
		s.users("alice", "bob")
		s.holds(&ws.BanUser{OpenID: "bob", Banned: true})
		good, bad, stranger := s.message("alice", "bob", "1"), s.message("bob", "alice", "2"), s.message("alice", "nobody", "3")
		for i, op := range []*ws.Send{good, bad, stranger} {
			op.Events = []ws.Event{{Topic: "stored", Key: strconv.Itoa(i), State: ws.EventPending}}
		}
		s.commit(good, bad, stranger)
		require.NoError(s, good.Err)
		require.Error(s, bad.Err)
		require.Error(s, stranger.Err)
		events := s.events(ws.EventPending)
		require.Len(s, events, 1)
		require.Equal(s, "0", events[0].Key)
	}},
	{"inOrder", func(s *subject) {
		s.written("a", "b")
		s.written("c")
		s.written("d", "e")
		events := s.events(ws.EventPending)
		keys, ids := []string{}, []uint64{}
		for _, event := range events {
			keys, ids = append(keys, event.Key), append(ids, event.ID)
		}
		require.Equal(s, []string{"a", "b", "c", "d", "e"}, keys)
		require.IsIncreasing(s, ids)
		page, err := s.Events(s.ctx, ws.EventPending, ids[1], 2)
		require.NoError(s, err)
		require.Equal(s, events[2:4], page)
	}},
	{"states", func(s *subject) {
		s.written("a", "b", "c")
		pending := s.events(ws.EventPending)
		s.holds(&ws.PutEvent{ID: pending[0].ID, State: ws.EventPending, Attempts: 2, NextAttemptAt: 9000})
		s.holds(&ws.PutEvent{ID: pending[1].ID, State: ws.EventDead, Attempts: 7, NextAttemptAt: 0})
		s.holds(&ws.PutEvent{ID: pending[2].ID, State: ws.EventDone})
		tried, dead := pending[0], pending[1]
		tried.Attempts, tried.NextAttemptAt = 2, 9000
		dead.State, dead.Attempts, dead.NextAttemptAt = ws.EventDead, 7, 0
		require.Equal(s, []ws.Event{tried}, s.events(ws.EventPending))
		require.Equal(s, []ws.Event{dead}, s.events(ws.EventDead))
		require.Empty(s, s.events(ws.EventDone), "what is done is deleted")

		s.holds(&ws.PutEvent{ID: dead.ID, State: ws.EventPending})
		require.Len(s, s.events(ws.EventPending), 2)
		require.Empty(s, s.events(ws.EventDead))
	}},
	{"notFound", func(s *subject) {
		s.refuses(protocol.NotFound, &ws.PutEvent{ID: 4711, State: ws.EventDead})
		s.written("a")
		id := s.events(ws.EventPending)[0].ID
		s.holds(&ws.PutEvent{ID: id, State: ws.EventDone})
		s.refuses(protocol.NotFound, &ws.PutEvent{ID: id, State: ws.EventPending})
	}},
	{"idsAreNotGivenTwice", func(s *subject) {
		s.written("a", "b")
		events := s.events(ws.EventPending)
		s.holds(&ws.PutEvent{ID: events[1].ID, State: ws.EventDone})
		s.written("c")
		after := s.events(ws.EventPending)
		require.Len(s, after, 2)
		require.Greater(s, after[1].ID, events[1].ID)
	}},
}

// written commits a message with an event for each key.
func (s *subject) written(keys ...string) {
	s.Helper()
	s.users("bob")
	op := s.message("alice", "bob", "hello")
	for _, key := range keys {
		op.Events = append(op.Events, ws.Event{Topic: "stored", Key: key, Payload: []byte("of " + key), State: ws.EventPending})
	}
	s.holds(op)
}
