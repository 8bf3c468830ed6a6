//go:build services

package rocketbus_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/ws"
)

// publishMany publishes more than a queue holds. It has to return, whatever the servers do.
func publishMany(t *testing.T, bus *rocketbus.Bus, node string) {
	t.Helper()
	_ = within(t, "Publish", func() error {
		for range 20_000 {
			if err := bus.Publish(node, ws.LaneMessages, []byte("0")); err != nil {
				require.ErrorIs(t, err, ws.ErrBusFull)
			}
		}
		return nil
	})
}

func TestBus_BrokerKilled(t *testing.T) {
	s := ownServers(t)
	bus := mustOpen(t, s.options())
	l := listen(t, bus, "node")
	t.Logf("first canary after %v", l.hears(t))
	require.NoError(t, s.broker.Kill())
	publishMany(t, bus, "node")
	until(t, "the subscription ends", func() bool { return l.renewed.Load() > 0 })
	require.Error(t, within(t, "Send", func() error { return bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")) }))
	require.NoError(t, s.broker.Restart(t.Context()))
	t.Logf("the broker is back; a canary comes after %v", l.hears(t))
	until(t, "events can be sent again", func() bool {
		return bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")) == nil
	})
}

func TestBus_BrokerFrozen(t *testing.T) {
	s := ownServers(t)
	opt := s.options()
	opt.SendTimeout = 500 * time.Millisecond
	bus := mustOpen(t, opt)
	l := listen(t, bus, "node")
	l.hears(t)
	require.NoError(t, s.broker.Freeze())
	publishMany(t, bus, "node")
	require.Error(t, within(t, "Send", func() error { return bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")) }))
	require.Error(t, within(t, "Subscribe", func() error {
		return bus.Subscribe(t.Context(), "node", ws.LaneNotices, func([]byte) {})
	}))
	require.NoError(t, s.broker.Thaw())
	t.Logf("the broker goes on; a canary comes after %v", l.hears(t))
}

// A subscription that is cancelled while its broker hangs ends nonetheless.
func TestBus_Subscribe_BrokerFrozen(t *testing.T) {
	s := ownServers(t)
	bus := mustOpen(t, s.options())
	l := listen(t, bus, "other")
	l.hears(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bus.Subscribe(ctx, "node", ws.LaneMessages, func([]byte) { t.Log("receives") }) }()
	l.hears(t)
	require.NoError(t, s.broker.Freeze())
	cancel()
	require.NoError(t, within(t, "Subscribe", func() error { return <-ended }))
	require.NoError(t, s.broker.Thaw())
}

func TestBus_NameServerKilled(t *testing.T) {
	s := ownServers(t)
	bus := mustOpen(t, s.options())
	l := listen(t, bus, "node")
	l.hears(t)
	require.NoError(t, s.names.Kill())
	for range 20 {
		l.hears(t)
		require.NoError(t, bus.Publish("unknown", ws.LaneMessages, []byte("0")), "an unknown topic holds nobody up")
	}
	require.Zero(t, l.renewed.Load(), "what works needs no name server")
	require.Error(t, within(t, "Subscribe", func() error {
		return bus.Subscribe(t.Context(), "node-2", ws.LaneMessages, func([]byte) {})
	}))
	require.NoError(t, s.names.Restart(t.Context()))
	second := listen(t, bus, "node-2")
	t.Logf("the name server is back; a new node's canary comes after %v", second.hears(t))
	l.hears(t)
}

// A name server that hangs must not hold up what is sent to those who are known.
func TestBus_NameServerFrozen(t *testing.T) {
	s := ownServers(t)
	bus := mustOpen(t, s.options())
	l := listen(t, bus, "node")
	l.hears(t)
	require.NoError(t, s.names.Freeze())
	for range 20 {
		require.NoError(t, bus.Publish("unknown", ws.LaneMessages, []byte("0")))
		t.Logf("a canary comes after %v", l.hears(t))
	}
	require.NoError(t, s.names.Thaw())
	l.hears(t)
}

func TestOpen_NothingThere(t *testing.T) {
	s := ownServers(t)
	require.NoError(t, s.broker.Kill())
	require.NoError(t, s.names.Kill())
	bus := mustOpen(t, s.options())
	l := listen(t, bus, "node")
	publishMany(t, bus, "node")
	require.NoError(t, s.names.Restart(t.Context()))
	require.NoError(t, s.broker.Restart(t.Context()))
	t.Logf("the servers are there; a canary comes after %v", l.hears(t))
}

func TestBus_Close_BrokerFrozen(t *testing.T) {
	s := ownServers(t)
	bus, err := rocketbus.Open(s.options())
	require.NoError(t, err)
	l := listen(t, bus, "node")
	l.hears(t)
	require.NoError(t, s.broker.Freeze())
	require.NoError(t, s.names.Freeze())
	publishMany(t, bus, "node")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, within(t, "Close", func() error { return bus.Close(ctx) }), "bodies were not sent")
	require.Error(t, bus.Publish("node", ws.LaneMessages, []byte("0")))
}
