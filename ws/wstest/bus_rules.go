package wstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// busDeliveryRules: what is published for a node on a lane comes there, and nowhere else.
var busDeliveryRules = []busRule{
	{"toItself", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s, node, ws.LaneMessages, nil)
		s.send(node, ws.LaneMessages, "body", 100)
		sub.gets("body", 100)
	}},
	{"toAnother", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s.another(), node, ws.LaneMessages, nil)
		s.send(node, ws.LaneMessages, "body", 100)
		sub.gets("body", 100)
	}},
	{"lanesApart", func(s *busSubject) {
		node := s.node()
		messages := s.subscribe(s, node, ws.LaneMessages, nil)
		notices := s.subscribe(s, node, ws.LaneNotices, nil)
		s.send(node, ws.LaneMessages, "message", 20)
		s.send(node, ws.LaneNotices, "notice", 20)
		messages.gets("message", 20)
		notices.gets("notice", 20)
		require.Equal(s, 20, messages.count())
		require.Equal(s, 20, notices.count())
	}},
	{"nodesApart", func(s *busSubject) {
		first, second := s.node(), s.node()
		one := s.subscribe(s, first, ws.LaneMessages, nil)
		two := s.subscribe(s.another(), second, ws.LaneMessages, nil)
		s.send(first, ws.LaneMessages, "first", 20)
		s.send(second, ws.LaneMessages, "second", 20)
		one.gets("first", 20)
		two.gets("second", 20)
		require.Equal(s, 20, one.count())
		require.Equal(s, 20, two.count())
	}},
	{"nobody", func(s *busSubject) {
		node, nobody := s.node(), s.node()
		sub := s.subscribe(s, node, ws.LaneMessages, nil)
		for range 20 {
			require.NoError(s, s.Publish(nobody, ws.LaneMessages, []byte("lost")))
		}
		s.send(node, ws.LaneMessages, "body", 20)
		sub.gets("body", 20)
	}},
	{"crowd", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s, node, ws.LaneMessages, nil)
		var publishers sync.WaitGroup
		for i := range 8 {
			publishers.Go(func() { s.send(node, ws.LaneMessages, "from "+string(rune('a'+i)), 50) })
		}
		publishers.Wait()
		s.until("400 bodies have come", func() bool { return sub.count() == 400 })
		require.False(s, sub.crowd.Load(), "receive was called by two at once")
	}},
}

// busBodyRules: bodies come as they were published, and are the receiver's.
var busBodyRules = []busRule{
	{"large", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s, node, ws.LaneMessages, nil)
		large := make([]byte, 1<<20)
		_, _ = rand.Read(large)
		s.publish(node, ws.LaneMessages, large)
		s.until("a large body has come", func() bool { return sub.count() == 1 })
		require.Equal(s, 1, sub.got[string(large)], "it came changed")
	}},
	{"owned", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s, node, ws.LaneMessages, func(body []byte) {
			clear(body[:cap(body)]) // as append may
		})
		s.send(node, ws.LaneMessages, "body", 200)
		sub.gets("body", 200)
		require.Equal(s, 200, sub.count(), "what one got changed with another")
	}},
	{"shared", func(s *busSubject) {
		first, second := s.node(), s.node()
		one := s.subscribe(s, first, ws.LaneMessages, func(body []byte) { clear(body) })
		two := s.subscribe(s, second, ws.LaneMessages, func(body []byte) { clear(body) })
		body := []byte("body 0")
		s.publish(first, ws.LaneMessages, body)
		s.publish(second, ws.LaneMessages, body)
		one.gets("body", 1)
		two.gets("body", 1)
	}},
}

// busSubscribeRules: a subscription ends when it is told to, for good, and may be followed by another.
var busSubscribeRules = []busRule{
	{"ends", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s, node, ws.LaneMessages, nil)
		sub.stops()
		got := sub.pings.Load()
		s.publish(node, ws.LaneMessages, bytes.Clone(ping))
		next := s.subscribe(s, node, ws.LaneMessages, nil)
		s.send(node, ws.LaneMessages, "body", 20)
		next.gets("body", 20)
		require.Zero(s, sub.count())
		require.Equal(s, got, sub.pings.Load(), "receive was called after the end")
	}},
	{"endedBefore", func(s *busSubject) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		require.NoError(s, s.Subscribe(ctx, s.node(), ws.LaneMessages, func([]byte) { s.Error("receive was called") }))
	}},
	{"again", func(s *busSubject) {
		node := s.node()
		for range 3 {
			sub := s.subscribe(s, node, ws.LaneMessages, nil)
			s.send(node, ws.LaneMessages, "body", 20)
			sub.gets("body", 20)
			sub.stops()
		}
	}},
}

// busCloseRules: Close sends what waits, and is the end.
var busCloseRules = []busRule{
	{"sendsWhatWaits", func(s *busSubject) {
		node := s.node()
		sub := s.subscribe(s.another(), node, ws.LaneMessages, nil)
		s.send(node, ws.LaneMessages, "body", 200)
		closeBus(s.T, s)
		sub.gets("body", 200)
	}},
	{"endsSubscriptions", func(s *busSubject) {
		sub := s.subscribe(s, s.node(), ws.LaneMessages, nil)
		closeBus(s.T, s)
		require.Error(s, sub.ended())
	}},
	{"twice", func(s *busSubject) {
		closeBus(s.T, s)
		closeBus(s.T, s)
	}},
	{"refusesAfter", func(s *busSubject) {
		node := s.node()
		closeBus(s.T, s)
		require.Error(s, s.Publish(node, ws.LaneMessages, []byte("late")))
		require.Error(s, s.Subscribe(s.Context(), node, ws.LaneMessages, func([]byte) {}))
	}},
}
