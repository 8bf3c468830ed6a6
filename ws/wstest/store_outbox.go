package wstest

import (
	"fmt"
	"slices"
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
			op.Events = withEvents(ws.Event{Topic: "stored", Key: strconv.Itoa(i), State: ws.EventPending})
		}
		s.commit(good, bad, stranger)
		require.NoError(s, good.Err)
		require.Error(s, bad.Err)
		require.Error(s, stranger.Err)
		events := s.events(ws.EventPending)
		require.Len(s, events, 1)
		require.Equal(s, "0", events[0].Key)
	}},
	{"ofThePosition", func(s *subject) {
		s.users("alice", "bob")
		s.talk("bob", "alice", 2)
		op := s.message("alice", "bob", "hello")
		op.Events = func(sent *ws.Send) []ws.Event {
			return []ws.Event{{Topic: "stored", Key: sent.Record.ID().String(), Payload: fmt.Append(nil, sorted(sent.Members), sent.Created)}}
		}
		s.holds(op)
		event := s.events(ws.EventPending)[0]
		require.Equal(s, op.Record.ID().String(), event.Key)
		require.Equal(s, "[alice bob] false", string(event.Payload))
	}},
	{"ofAFiredMessage", func(s *subject) {
		s.users("alice", "bob")
		op := s.scheduling("alice", "bob", "m-1", "later")
		s.holds(op)
		require.Empty(s, s.events(ws.EventPending))
		fire := &ws.FireScheduled{ID: op.Scheduled.ID, At: s.tick(), Events: func(sent *ws.Send) []ws.Event {
			return []ws.Event{{Topic: "stored", Key: sent.Record.ID().String()}}
		}}
		s.holds(fire)
		events := s.events(ws.EventPending)
		require.Len(s, events, 1)
		require.Equal(s, ws.MessageID{Conversation: fire.Sent.Record.Conversation, Seq: 1}.String(), events[0].Key)
		fire.Err = nil
		s.refuses(protocol.NotFound, fire)
		require.Len(s, s.events(ws.EventPending), 1)
	}},
	{"withoutACause", func(s *subject) {
		s.written("a")
		s.holds(&ws.AddEvents{}, &ws.AddEvents{Events: []ws.Event{{Topic: "online", Key: "b", Payload: []byte("of b")}, {Topic: "online", Key: "c"}}})
		events := s.events(ws.EventPending)
		require.Len(s, events, 3)
		require.Equal(s, []string{"a", "b", "c"}, []string{events[0].Key, events[1].Key, events[2].Key})
		require.Equal(s, "of b", string(events[1].Payload))
	}},
	{"scheduled", func(s *subject) {
		scheduled := []ws.Event{{Topic: "check", Key: "a", State: ws.EventScheduled, NextAttemptAt: 9000}, {Topic: "check", Key: "b", State: ws.EventScheduled}}
		s.holds(&ws.AddEvents{Events: scheduled})
		require.Empty(s, s.events(ws.EventPending))
		found := s.events(ws.EventScheduled)
		require.Len(s, found, 2)
		require.Equal(s, "a", found[0].Key)
		require.Equal(s, ws.Millis(9000), found[0].NextAttemptAt)
		s.holds(&ws.PutEvent{ID: found[0].ID, State: ws.EventDone}, &ws.AddEvents{Events: []ws.Event{{Topic: "offline", Key: "a"}}})
		require.Equal(s, found[1:], s.events(ws.EventScheduled))
		require.Len(s, s.events(ws.EventPending), 1)
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
	var events []ws.Event
	for _, key := range keys {
		events = append(events, ws.Event{Topic: "stored", Key: key, Payload: []byte("of " + key), State: ws.EventPending})
	}
	op.Events = withEvents(events...)
	s.holds(op)
}

// withEvents are the events of a send that are the same at every position.
func withEvents(events ...ws.Event) func(*ws.Send) []ws.Event {
	return func(*ws.Send) []ws.Event { return slices.Clone(events) }
}
