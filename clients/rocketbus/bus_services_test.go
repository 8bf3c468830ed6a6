//go:build services

package rocketbus_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestBus(t *testing.T) {
	s := shared(t)
	wstest.Bus(t, func(t *testing.T) ws.Bus { return mustOpen(t, s.options()) })
}

// node returns an id that no other test has.
func node() string { return "node-" + rand.Text()[:12] }

// subscribe subscribes until the test ends, and returns when the subscription works.
func subscribe(tb testing.TB, bus *rocketbus.Bus, node string, receive func(body []byte)) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	works := make(chan struct{})
	once := sync.OnceFunc(func() { close(works) })
	ended := make(chan error, 1)
	go func() {
		ended <- bus.Subscribe(ctx, node, ws.LaneMessages, func(body []byte) {
			if string(body) == "ping" {
				once()
				return
			}
			receive(body)
		})
	}()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Log(err)
		}
	})
	for {
		require.NoError(tb, bus.Publish(node, ws.LaneMessages, []byte("ping")))
		select {
		case <-works:
			return
		case err := <-ended:
			ended <- err
			require.NoError(tb, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestBus_Order(t *testing.T) {
	const bodies = 20_000
	s := shared(t)
	var tally tally
	opt := s.options()
	opt.Metrics = &tally
	bus, node := mustOpen(t, opt), node()
	var got []uint32
	done := make(chan struct{})
	subscribe(t, bus, node, func(body []byte) {
		if got = append(got, binary.BigEndian.Uint32(body)); len(got) == bodies {
			close(done)
		}
	})
	lost := tally.lost.Load() // before there was a topic
	for i := range uint32(bodies) {
		until(t, "the bus takes a body", func() bool {
			return bus.Publish(node, ws.LaneMessages, binary.BigEndian.AppendUint32(nil, i)) == nil
		})
	}
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(t, "bodies are missing")
	}
	for i := range uint32(bodies) {
		require.Equal(t, i, got[i])
	}
	require.GreaterOrEqual(t, tally.received.Load(), int64(bodies))
	until(t, "every answer has come", func() bool { return tally.sent.Load() >= bodies })
	require.Equal(t, lost, tally.lost.Load())
}

func TestBus_Publish_Refuses(t *testing.T) {
	bus := mustOpen(t, shared(t).options())
	require.ErrorContains(t, bus.Publish("10.0.0.1:80", ws.LaneMessages, []byte("body")), "node id")
	require.Error(t, bus.Publish("node", ws.LaneMessages, nil))
	require.Error(t, bus.Publish("node", ws.LaneMessages, make([]byte, 4<<20)))
	require.Error(t, bus.Publish("node", ws.Lane(2), []byte("body")))
}

func TestBus_Publish_Full(t *testing.T) {
	opt := shared(t).options()
	opt.QueueBodies = 10
	bus := mustOpen(t, opt)
	full := 0
	for range 1000 {
		if err := bus.Publish(node(), ws.LaneMessages, []byte("body")); err != nil {
			require.ErrorIs(t, err, ws.ErrBusFull)
			full++
		}
	}
	require.Positive(t, full)
}

func TestBus_Subscribe_Manual(t *testing.T) {
	opt := shared(t).options()
	opt.ManualTopics = true
	node := node()
	err := mustOpen(t, opt).Subscribe(t.Context(), node, ws.LaneMessages, func([]byte) {})
	require.ErrorContains(t, err, "topic websocket"+node+" does not exist; make it with `yanlink topics create`")
}

type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// A body that receive panics of must not stop the ones behind it.
func TestBus_Subscribe_Panic(t *testing.T) {
	s := shared(t)
	var log lockedBuffer // the client's goroutines log on
	opt := s.options()
	opt.Log = slog.New(slog.NewTextHandler(&log, nil))
	bus, node := mustOpen(t, opt), node()
	digested := make(chan struct{})
	subscribe(t, bus, node, func(body []byte) {
		if string(body) == "poison" {
			panic("secret: " + string(body))
		}
		close(digested)
	})
	dead := consume(t, s, rocketbus.TopicDeadLetter)
	require.NoError(t, bus.Publish(node, ws.LaneMessages, []byte("poison")))
	require.NoError(t, bus.Publish(node, ws.LaneMessages, []byte("food")))
	within(t, "the body behind the poison", func() struct{} { return <-digested })
	letter := within(t, "the dead letter", dead.next)
	for letter.GetProperty("ORIGIN_TOPIC") != "websocket"+node {
		letter = within(t, "the dead letter", dead.next)
	}
	require.Equal(t, "poison", string(letter.Body))
	mustClose(t, bus)
	require.Contains(t, log.String(), letter.GetKeys())
	require.NotContains(t, log.String(), "secret")
}

// What the client leaves behind for each subscription sleeps, and has to stay as little as it is.
func TestBus_Subscribe_Again(t *testing.T) {
	const rounds, left = 5, 20
	bus, node := mustOpen(t, shared(t).options()), node()
	subscribeOnce(t, bus, node)
	before := runtime.NumGoroutine()
	for range rounds {
		subscribeOnce(t, bus, node)
	}
	t.Logf("%d goroutines, and %d at once after %d subscriptions more", before, runtime.NumGoroutine(), rounds)
	took := until(t, "only those are left that sleep", func() bool { return runtime.NumGoroutine() <= before+rounds*left })
	t.Logf("%d after %v", runtime.NumGoroutine(), took)
}

// subscribeOnce keeps a subscription until something comes.
func subscribeOnce(t *testing.T, bus *rocketbus.Bus, node string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bus.Subscribe(ctx, node, ws.LaneMessages, func([]byte) { cancel() }) }()
	until(t, "something comes", func() bool {
		require.NoError(t, bus.Publish(node, ws.LaneMessages, []byte("ping")))
		time.Sleep(10 * time.Millisecond)
		return ctx.Err() != nil
	})
	require.NoError(t, within(t, "Subscribe", func() error { return <-ended }))
}
