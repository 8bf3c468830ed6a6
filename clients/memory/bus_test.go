package memory_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestBus(t *testing.T) {
	broker := memory.NewBroker(memory.BrokerOptions{})
	wstest.Bus(t, func(*testing.T) ws.Bus { return broker.Open() })
}

// sendAndReceive publishes n numbered bodies, then returns what a subscription got of them within a minute.
func sendAndReceive(t *testing.T, broker *memory.Broker, n int) []string {
	bus := broker.Open()
	for i := range n {
		require.NoError(t, bus.Publish("node", ws.LaneMessages, []byte(strconv.Itoa(i))))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	require.NoError(t, bus.Subscribe(ctx, "node", ws.LaneMessages, func(body []byte) { got = append(got, string(body)) }))
	return got
}

func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

func TestBroker_Fault(t *testing.T) {
	run := func(name string, faults memory.Faults, check func(t *testing.T, got []string)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broker := memory.NewBroker(memory.BrokerOptions{})
				broker.Fault(faults)
				check(t, sendAndReceive(t, broker, 1000))
			})
		})
	}
	run("None", memory.Faults{}, func(t *testing.T, got []string) { require.Equal(t, numbers(1000), got) })
	run("Lose", memory.Faults{Lose: 0.5}, func(t *testing.T, got []string) {
		require.Greater(t, len(got), 300)
		require.Less(t, len(got), 700)
	})
	run("Repeat", memory.Faults{Repeat: 1}, func(t *testing.T, got []string) {
		require.Len(t, got, 2000)
		require.Equal(t, numbers(1000), slices.Compact(got))
	})
	run("Late", memory.Faults{Late: 0.5, Delay: time.Second}, func(t *testing.T, got []string) {
		require.NotEqual(t, numbers(1000), got)
		require.ElementsMatch(t, numbers(1000), got)
	})
}

func TestBroker_Fault_Seed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(seed uint64) []string {
			broker := memory.NewBroker(memory.BrokerOptions{})
			broker.Fault(memory.Faults{Lose: 0.5, Repeat: 0.5, Late: 0.5, Delay: time.Second, Seed: seed})
			return sendAndReceive(t, broker, 100)
		}
		first := run(1)
		require.Equal(t, first, run(1))
		require.NotEqual(t, run(1), run(2))
	})
}

func TestBroker_Stop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := memory.NewBroker(memory.BrokerOptions{})
		bus := broker.Open()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		got := make(chan string, 10)
		go func() {
			_ = bus.Subscribe(ctx, "node", ws.LaneMessages, func(body []byte) { got <- string(body) })
		}()
		broker.Stop()
		require.NoError(t, bus.Publish("node", ws.LaneMessages, []byte("body")))
		synctest.Wait()
		require.Empty(t, got)
		broker.Start()
		synctest.Wait()
		require.Equal(t, "body", <-got)
	})
}

func TestBus_Publish_Full(t *testing.T) {
	broker := memory.NewBroker(memory.BrokerOptions{QueueBodies: 3, QueueBytes: 10})
	bus := broker.Open()
	for range 3 {
		require.NoError(t, bus.Publish("a", ws.LaneMessages, []byte("12")))
	}
	require.ErrorIs(t, bus.Publish("a", ws.LaneMessages, []byte("12")), ws.ErrBusFull, "of bodies")
	require.NoError(t, bus.Publish("a", ws.LaneNotices, []byte("1234567890")), "a lane has a queue of its own")
	require.ErrorIs(t, bus.Publish("a", ws.LaneNotices, []byte("1")), ws.ErrBusFull, "of bytes")
	require.NoError(t, bus.Publish("b", ws.LaneMessages, []byte("12")), "a node has a queue of its own")

	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, bus.Subscribe(ctx, "a", ws.LaneNotices, func([]byte) { cancel() }))
	require.NoError(t, bus.Publish("a", ws.LaneNotices, []byte("1234567890")), "what was taken makes room")
}
