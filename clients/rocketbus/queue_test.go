package rocketbus

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func putAll(t *testing.T, q *queue, topic string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		require.NoError(t, q.put(primitive.NewMessage(topic, []byte(body))))
	}
}

// taken takes and returns what it got, as topic and bodies.
func taken(q *queue, bodies, bytes int) (b *backlog, got string) {
	b, batch := q.take(bodies, bytes)
	if b == nil {
		return nil, ""
	}
	words := []string{b.topic}
	for _, msg := range batch {
		words = append(words, string(msg.Body))
	}
	return b, strings.Join(words, " ")
}

func TestQueue_Take(t *testing.T) {
	q := newQueue(100, 1000)
	putAll(t, q, "a", "1", "2", "3", "4")
	putAll(t, q, "b", "5")
	a, got := taken(q, 3, 100)
	require.Equal(t, "a 1 2 3", got)
	b, got := taken(q, 3, 100)
	require.Equal(t, "b 5", got, "a topic that is out is given to nobody else")
	putAll(t, q, "b", "6")
	q.giveBack(b)
	q.giveBack(a)
	_, got = taken(q, 3, 100)
	require.Equal(t, "b 6", got)
	_, got = taken(q, 3, 100)
	require.Equal(t, "a 4", got)
}

func TestQueue_Take_Bytes(t *testing.T) {
	q := newQueue(100, 1000)
	putAll(t, q, "a", "too long", "12", "34", "5")
	for _, want := range []string{"a too long", "a 12 34", "a 5"} {
		b, got := taken(q, 10, 4)
		require.Equal(t, want, got)
		q.giveBack(b)
	}
}

func TestQueue_Put_Full(t *testing.T) {
	q := newQueue(3, 10)
	putAll(t, q, "a", "1", "2", "3")
	require.ErrorIs(t, q.put(primitive.NewMessage("b", []byte("4"))), ws.ErrBusFull, "of bodies")
	_, _ = taken(q, 2, 100)
	require.ErrorIs(t, q.put(primitive.NewMessage("b", []byte("1234567890"))), ws.ErrBusFull, "of bytes")
	require.NoError(t, q.put(primitive.NewMessage("b", []byte("123456789"))))
}

func TestQueue_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(100, 1000)
		putAll(t, q, "a", "1", "2")
		var senders sync.WaitGroup
		got := make(chan string, 10)
		for range 3 {
			senders.Go(func() {
				for {
					b, batch := taken(q, 1, 100)
					if b == nil {
						return
					}
					got <- batch
					q.giveBack(b)
				}
			})
		}
		synctest.Wait()
		q.close()
		senders.Wait()
		require.ErrorIs(t, q.put(primitive.NewMessage("a", []byte("3"))), errClosed)
		require.Equal(t, []string{"a 1", "a 2"}, []string{<-got, <-got})
	})
}

func TestQueue_Clear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(100, 1000)
		putAll(t, q, "a", "1", "2")
		putAll(t, q, "b", "3")
		out, _ := taken(q, 1, 100)
		q.close()
		ended := make(chan *backlog)
		require.Equal(t, 2, q.clear())
		go func() {
			b, _ := q.take(1, 100)
			ended <- b
		}()
		require.Nil(t, <-ended)
		q.giveBack(out)
		b, _ := q.take(1, 100)
		require.Nil(t, b)
	})
}

// However many put and take, a topic's bodies stay in order.
func TestQueue_Order(t *testing.T) {
	const topics, bodies = 5, 2000
	q := newQueue(topics*bodies, 1<<20)
	var putting, taking sync.WaitGroup
	var mu sync.Mutex
	got := make(map[string][]string)
	for range 4 {
		taking.Go(func() {
			for {
				b, batch := q.take(7, 100)
				if b == nil {
					return
				}
				mu.Lock()
				for _, msg := range batch {
					got[b.topic] = append(got[b.topic], string(msg.Body))
				}
				mu.Unlock()
				q.giveBack(b)
			}
		})
	}
	var want []string
	for i := range bodies {
		want = append(want, fmt.Sprint(i))
	}
	for topic := range topics {
		putting.Go(func() { putAll(t, q, fmt.Sprint("topic ", topic), want...) })
	}
	putting.Wait()
	q.close()
	taking.Wait()
	require.Len(t, got, topics)
	for topic := range got {
		require.Equal(t, want, got[topic])
	}
}
