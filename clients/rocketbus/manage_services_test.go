//go:build services

package rocketbus_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/ws"
)

func TestCreate(t *testing.T) {
	opt := shared(t).options()
	opt.ManualTopics = true
	node := node()
	require.NoError(t, rocketbus.Create(t.Context(), opt, []string{node}))
	require.NoError(t, rocketbus.Create(t.Context(), opt, []string{node}), "again changes nothing")
	bus := mustOpen(t, opt)
	subscribe(t, bus, node, func([]byte) {})
	for _, topic := range []string{rocketbus.TopicMessage, rocketbus.TopicReceipt, rocketbus.TopicOffline} {
		require.NoError(t, bus.Send(t.Context(), topic, "key", []byte("event")))
	}
	require.ErrorContains(t, rocketbus.Create(t.Context(), opt, []string{"a node"}), "node id")
}

func TestPrune(t *testing.T) {
	opt := ownServers(t, "").options()
	require.NoError(t, rocketbus.Create(t.Context(), opt, []string{"gone", "live"}))
	bus := mustOpen(t, opt)
	require.NoError(t, bus.Send(t.Context(), "netty-acknowledged%of%somebody", "key", []byte("of somebody else")))
	require.NoError(t, bus.Send(t.Context(), "websocket-of-somebody", "key", []byte("of somebody else")))

	for range 2 {
		gone, err := rocketbus.Gone(t.Context(), opt, []string{"live"})
		require.NoError(t, err)
		require.Equal(t, []string{"gone"}, gone, "who asks changes nothing")
	}
	gone, err := rocketbus.Prune(t.Context(), opt, []string{"live"})
	require.NoError(t, err)
	require.Equal(t, []string{"gone"}, gone)
	gone, err = rocketbus.Prune(t.Context(), opt, []string{"live"})
	require.NoError(t, err)
	require.Empty(t, gone)

	opt.ManualTopics = true
	manual := mustOpen(t, opt)
	for _, lane := range []ws.Lane{ws.LaneMessages, ws.LaneNotices} {
		require.ErrorContains(t, manual.Subscribe(t.Context(), "gone", lane, func([]byte) {}), "does not exist")
	}
	subscribe(t, manual, "live", func([]byte) {})
	require.NoError(t, manual.Send(t.Context(), "websocket-of-somebody", "key", []byte("still there")))
	require.NoError(t, manual.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("still there")))

	subscribe(t, bus, "gone", func([]byte) {}) // comes back
}
