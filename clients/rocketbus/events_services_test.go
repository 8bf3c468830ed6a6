//go:build services

package rocketbus_test

import (
	"context"
	"crypto/rand"
	"strconv"
	"testing"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
)

// outsider consumes a topic as another system does.
type outsider struct{ got chan *primitive.MessageExt }

// consume consumes a topic, from its beginning, until the test ends.
func consume(tb testing.TB, s *servers, topic string) *outsider {
	tb.Helper()
	o := &outsider{got: make(chan *primitive.MessageExt, 10_000)}
	c, err := rocketmq.NewPushConsumer(
		consumer.WithGroupName("outsider-"+rand.Text()[:12]),
		consumer.WithInstance(rand.Text()),
		consumer.WithNameServer(primitive.NamesrvAddr{s.names.Addr}),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumeGoroutineNums(1),
	)
	require.NoError(tb, err)
	err = c.Subscribe(topic, consumer.MessageSelector{}, func(_ context.Context, msgs ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, msg := range msgs {
			o.got <- msg
		}
		return consumer.ConsumeSuccess, nil
	})
	require.NoError(tb, err)
	require.NoError(tb, c.Start())
	tb.Cleanup(func() { _ = c.Shutdown() })
	return o
}

func (o *outsider) next() *primitive.MessageExt { return <-o.got }

func TestBus_Send(t *testing.T) {
	const events, keys = 400, 7
	s := shared(t)
	bus := mustOpen(t, s.options())
	topic := "yan-test-" + rand.Text()[:12]
	for i := range events {
		require.NoError(t, bus.Send(t.Context(), topic, "key-"+strconv.Itoa(i%keys), []byte(strconv.Itoa(i))))
	}
	got := consume(t, s, topic)
	last := make(map[string]int)
	queues := make(map[int]bool)
	for range events {
		msg := within(t, "an event", got.next)
		n, err := strconv.Atoi(string(msg.Body))
		require.NoError(t, err)
		before, known := last[msg.GetKeys()]
		require.True(t, !known || n > before, "%d came behind %d", n, before)
		require.Equal(t, "key-"+strconv.Itoa(n%keys), msg.GetKeys())
		last[msg.GetKeys()], queues[msg.Queue.QueueId] = n, true
	}
	require.Len(t, last, keys)
	require.Greater(t, len(queues), 1, "keys share one queue")
}

func TestBus_Send_Manual(t *testing.T) {
	opt := shared(t).options()
	opt.ManualTopics = true
	bus := mustOpen(t, opt)
	require.ErrorContains(t, bus.Send(t.Context(), "yan-missing", "key", []byte("event")), "yanlink topics create")
	require.Error(t, bus.Send(t.Context(), rocketbus.TopicMessage, "key", nil))
}
