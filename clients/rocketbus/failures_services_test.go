//go:build services

package rocketbus_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// publishMany publishes more than a queue holds, and returns how much of it was taken. It has to return, whatever the
// servers do.
func publishMany(t *testing.T, bus *rocketbus.Bus, node string) (taken int) {
	t.Helper()
	return within(t, "Publish", func() (taken int) {
		for range 20_000 {
			err := bus.Publish(node, ws.LaneMessages, []byte("0"))
			if err == nil {
				taken++
			} else {
				require.ErrorIs(t, err, ws.ErrBusFull)
			}
		}
		return taken
	})
}

// freeze freezes a server that goes on at the end of the test, if not before: others need it.
func freeze(t *testing.T, server *services.Server) {
	t.Helper()
	t.Cleanup(func() { require.NoError(t, server.Thaw()) })
	require.NoError(t, server.Freeze())
}

// kill kills a server that runs again at the end of the test, if not before.
func kill(t *testing.T, server *services.Server) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			require.NoError(t, server.Restart(context.Background()))
		}
	})
	require.NoError(t, server.Kill())
}

func TestBus_BrokerKilled(t *testing.T) {
	s, node := shared(t), node()
	bus := mustOpen(t, s.options())
	l := listen(t, bus, node)
	t.Logf("first canary after %v", l.hears(t))
	kill(t, s.broker)
	publishMany(t, bus, node)
	until(t, "the subscription ends", func() bool { return l.renewed.Load() > 0 })
	require.Error(t, within(t, "Send", func() error { return bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")) }))
	require.NoError(t, s.broker.Restart(t.Context()))
	t.Logf("the broker is back; a canary comes after %v", l.hears(t))
	until(t, "events can be sent again", func() bool {
		return bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")) == nil
	})
}

func TestBus_OneOfTwoBrokersKilled(t *testing.T) {
	s := ownServers(t, "")
	other := services.MustStart(t, services.Spec{Kind: services.Broker, Namesrv: s.names.Addr, Name: "broker-b"})
	l := listen(t, mustOpen(t, s.options()), "node")
	l.hears(t)
	for _, broker := range []*services.Server{s.broker, other} {
		require.NoError(t, broker.Kill())
		t.Logf("one broker is dead; a canary comes after %v", l.hears(t))
		require.NoError(t, broker.Restart(t.Context()))
		t.Logf("it is back; a canary comes after %v", l.hears(t))
	}
}

func TestBus_BrokerFrozen(t *testing.T) {
	s, node := shared(t), node()
	opt := s.options()
	opt.SendTimeout = 500 * time.Millisecond
	bus := mustOpen(t, opt)
	l := listen(t, bus, node)
	l.hears(t)
	freeze(t, s.broker)
	publishMany(t, bus, node)
	require.Error(t, within(t, "Send", func() error { return bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")) }))
	require.Error(t, within(t, "Subscribe", func() error {
		return bus.Subscribe(t.Context(), node, ws.LaneNotices, func([]byte) {})
	}))
	require.NoError(t, s.broker.Thaw())
	t.Logf("the broker goes on; a canary comes after %v", l.hears(t))
}

// A subscription that is cancelled while its broker hangs ends nonetheless.
func TestBus_Subscribe_BrokerFrozen(t *testing.T) {
	s, node := shared(t), node()
	bus := mustOpen(t, s.options())
	l := listen(t, bus, node+"-2")
	l.hears(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bus.Subscribe(ctx, node, ws.LaneMessages, func([]byte) { t.Log("receives") }) }()
	l.hears(t)
	freeze(t, s.broker)
	cancel()
	require.NoError(t, within(t, "Subscribe", func() error { return <-ended }))
	require.NoError(t, s.broker.Thaw())
}

func TestBus_NameServerKilled(t *testing.T) {
	s, node := shared(t), node()
	bus := mustOpen(t, s.options())
	l := listen(t, bus, node)
	l.hears(t)
	kill(t, s.names)
	for range 20 {
		l.hears(t)
		require.NoError(t, bus.Publish("unknown", ws.LaneMessages, []byte("0")), "an unknown topic holds nobody up")
	}
	require.Zero(t, l.renewed.Load(), "what works needs no name server")
	require.Error(t, within(t, "Subscribe", func() error {
		return bus.Subscribe(t.Context(), node+"-2", ws.LaneMessages, func([]byte) {})
	}))
	require.NoError(t, s.names.Restart(t.Context()))
	second := listen(t, bus, node+"-2")
	t.Logf("the name server is back; a new node's canary comes after %v", second.hears(t))
	l.hears(t)
}

// A name server that hangs must not hold up what is sent to those who are known.
func TestBus_NameServerFrozen(t *testing.T) {
	s, node := shared(t), node()
	bus := mustOpen(t, s.options())
	l := listen(t, bus, node)
	l.hears(t)
	freeze(t, s.names)
	for range 20 {
		require.NoError(t, bus.Publish("unknown", ws.LaneMessages, []byte("0")))
		t.Logf("a canary comes after %v", l.hears(t))
	}
	require.NoError(t, s.names.Thaw())
	l.hears(t)
}

func TestOpen_NothingThere(t *testing.T) {
	s, node := shared(t), node()
	kill(t, s.broker)
	kill(t, s.names)
	bus := mustOpen(t, s.options())
	l := listen(t, bus, node)
	publishMany(t, bus, node)
	require.NoError(t, s.names.Restart(t.Context()))
	require.NoError(t, s.broker.Restart(t.Context()))
	t.Logf("the servers are there; a canary comes after %v", l.hears(t))
}

// tally counts what became of bodies.
type tally struct{ sent, lost, received atomic.Int64 }

func (m *tally) Sent(bodies int)     { m.sent.Add(int64(bodies)) }
func (m *tally) Lost(bodies int)     { m.lost.Add(int64(bodies)) }
func (m *tally) Received(bodies int) { m.received.Add(int64(bodies)) }

func TestBus_Close_BrokerFrozen(t *testing.T) {
	s, node := shared(t), node()
	var tally tally
	opt := s.options()
	opt.Metrics = &tally
	require.NoError(t, rocketbus.Create(t.Context(), opt, []string{node}))
	bus, err := rocketbus.Open(opt)
	require.NoError(t, err)
	require.NoError(t, bus.Publish(node, ws.LaneMessages, []byte("0")))
	until(t, "a body is sent", func() bool { return tally.sent.Load() == 1 })

	freeze(t, s.broker)
	taken := publishMany(t, bus, node)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, within(t, "Close", func() error { return bus.Close(ctx) }), "bodies were not sent")
	require.Error(t, bus.Publish(node, ws.LaneMessages, []byte("0")))
	until(t, "every body is accounted for", func() bool { return tally.lost.Load() == int64(taken) })
	require.EqualValues(t, 1, tally.sent.Load())
}
