package rocketbus

import (
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"
)

// newReceiver returns the receiver of a bus that is connected to nothing.
func newReceiver(receive func(body []byte)) *receiver {
	bus := &Bus{}
	bus.opt.defaults()
	return &receiver{bus: bus, receive: receive}
}

func (r *receiver) consumed(t *testing.T, bodies ...string) {
	t.Helper()
	var msgs []*primitive.MessageExt
	for _, body := range bodies {
		msgs = append(msgs, &primitive.MessageExt{Message: primitive.Message{Body: []byte(body)}})
	}
	result, err := r.consume(t.Context(), msgs...)
	require.NoError(t, err)
	require.Equal(t, consumer.ConsumeSuccess, result)
}

func TestReceiver_End(t *testing.T) {
	var got []string
	r := newReceiver(func(body []byte) { got = append(got, string(body)) })
	r.consumed(t, "1", "2")
	r.end()
	r.consumed(t, "3")
	require.Equal(t, []string{"1", "2"}, got)
}

func TestReceiver_End_Waits(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	left := false
	r := newReceiver(func([]byte) {
		close(entered)
		<-release
		left = true
	})
	go r.consumed(t, "1")
	<-entered
	time.AfterFunc(20*time.Millisecond, func() { close(release) })
	r.end()
	require.True(t, left, "receive still runs")
}
