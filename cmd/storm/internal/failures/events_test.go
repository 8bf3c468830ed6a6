//go:build services

package failures

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
)

// operatorKey is a service key that may list and replay events.
const operatorKey = "a key for the operator"

// newEventTown starts nodes that publish events; the first one holds the lease.
func newEventTown(t *testing.T, nodes int, env ...string) *town {
	t.Helper()
	w := found(t)
	w.env = append([]string{
		"YANLINK_EVENTS_ENABLED=true",
		`YANLINK_AUTH_SERVICEKEYS=[{"name":"operator","key":"` + operatorKey + `","scopes":["admin"]}]`,
	}, env...)
	for n := range nodes {
		w.prepare(n+1, nil)
	}
	require.NoError(t, w.nodes[0].Start(t.Context()))
	w.eventually("the first node publishes", func() bool { return publishes(w.nodes[0]) })
	for _, node := range w.nodes[1:] {
		require.NoError(t, node.Start(t.Context()))
	}
	for _, node := range w.nodes {
		w.ok(node)
	}
	return w
}

// publishes reports whether a node has ever held the lease of the outbox.
func publishes(node *child.Server) bool {
	text, err := os.ReadFile(node.Log())
	return err == nil && strings.Contains(string(text), "this node publishes the outgoing events")
}

// event is what the tests look at of an event, and when a broker stored it.
type event struct {
	Key string    `json:"-"`
	At  time.Time `json:"-"`

	ID     string `json:"id"`
	Event  string `json:"event"`
	Seq    uint64 `json:"seq"`
	From   string `json:"from"`
	To     string `json:"to"`
	MsgID  string `json:"msgid"`
	OpenID string `json:"openid"`
}

// reader is another system that reads a topic from its beginning.
type reader struct {
	mu   sync.Mutex
	seen map[string]bool
	got  []event // without what came again
}

// read waits for the topic: nodes make it with the first event that they publish there.
func (w *town) read(topic string) *reader {
	w.Helper()
	r := &reader{seen: make(map[string]bool)}
	w.eventually("somebody can read "+topic, func() bool { return w.subscribe(topic, r) == nil })
	return r
}

func (w *town) subscribe(topic string, r *reader) error {
	c, err := rocketmq.NewPushConsumer(
		consumer.WithGroupName("reader-"+rand.Text()[:12]), consumer.WithInstance(rand.Text()),
		consumer.WithNameServer(primitive.NamesrvAddr{w.Namesrv.Addr}),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset), consumer.WithConsumeGoroutineNums(1),
	)
	if err != nil {
		return err
	}
	if err := errors.Join(c.Subscribe(topic, consumer.MessageSelector{}, r.take), c.Start()); err != nil {
		return err
	}
	w.Cleanup(func() { _ = c.Shutdown() })
	return nil
}

func (r *reader) take(_ context.Context, msgs ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, msg := range msgs {
		e := event{}
		if err := json.Unmarshal(msg.Body, &e); err != nil {
			return consumer.ConsumeRetryLater, err
		}
		e.Key, e.At = msg.GetKeys(), time.UnixMilli(msg.StoreTimestamp)
		if !r.seen[e.ID] {
			r.seen[e.ID] = true
			r.got = append(r.got, e)
		}
	}
	return consumer.ConsumeSuccess, nil
}

// of returns the events that a test is about, in the order in which they came.
func (r *reader) of(about func(e *event) bool) (events []event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.got {
		if about(&r.got[i]) {
			events = append(events, r.got[i])
		}
	}
	return events
}

// kill -9 of the node that publishes: another one takes over, nothing is lost, each conversation comes in order, and the
// users of the dead node are offline.
func TestEvents_NodeKilled(t *testing.T) {
	const messages, peers = 240, 3
	w := newEventTown(t, 2)
	rose := w.connect(w.nodes[1], "events-rose", "web")
	gone := w.connect(w.nodes[0], "events-gone", "web")
	var jacks []*person
	for i := range peers {
		jacks = append(jacks, w.connect(w.nodes[1], fmt.Sprintf("events-jack%d", i), "web"))
	}
	w.becomes(w.nodes[1], gone.name, "online")
	var killed time.Time
	for i := range messages {
		if i == messages/2 {
			require.NoError(t, w.nodes[0].Kill())
			killed = time.Now()
		}
		rose.must(jacks[i%peers].name, fmt.Sprintf("events-%d", i))
	}
	stored, delivered, offline := w.read("yan-message"), w.read("yan-receipt"), w.read("yan-offline")
	ours := func(e *event) bool { return e.From == rose.name }
	w.eventually("every message is told of", func() bool { return len(stored.of(ours)) >= messages })
	w.eventually("every receipt is told of", func() bool { return len(delivered.of(ours)) >= messages })
	require.True(t, publishes(w.nodes[1]), "it took over")
	next := make(map[string]uint64)
	for _, e := range stored.of(ours) {
		next[e.Key]++
		require.Equal(t, next[e.Key], e.Seq, "in the order of the conversation")
	}
	require.Len(t, next, peers)

	left := func(e *event) bool { return e.Event == "user.offline" && e.OpenID == gone.name }
	w.eventually("the user of the dead node is offline", func() bool { return len(offline.of(left)) > 0 })
	took := offline.of(left)[0].At.Sub(killed)
	t.Logf("user.offline of the killed node's user was with the broker after %v", took.Round(time.Millisecond))
	require.Positive(t, took)
	require.Less(t, took, 10*ghostsGone)
}

// operate asks a node as the operator.
func (w *town) operate(node *child.Server, method, path string, answer any) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, node.URL()+path, http.NoBody)
	require.NoError(w, err)
	req.Header.Set("X-API-Key", operatorKey)
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	require.NoError(w, err)
	defer resp.Body.Close()
	require.Equal(w, http.StatusOK, resp.StatusCode, path)
	require.NoError(w, json.NewDecoder(resp.Body).Decode(answer))
}

// dead returns the id of a dead event of a message, if there is one. Others, such as of a user who came online, may have died beside it.
func (w *town) dead(node *child.Server, name, msgid string) string {
	w.Helper()
	var listed struct {
		Items []struct {
			ID    string `json:"id"`
			Event event  `json:"event"`
		} `json:"items"`
	}
	w.operate(node, http.MethodGet, "/api/v1/outbox?state=dead", &listed)
	for _, item := range listed.Items {
		if item.Event.Event == name && item.Event.MsgID == msgid {
			return item.ID
		}
	}
	return ""
}

// While the broker is dead events die of their limit. They are listed, and replayed they come.
func TestEvents_Dead(t *testing.T) {
	w := newEventTown(t, 1, "YANLINK_EVENTS_MAXATTEMPTS=2", "YANLINK_EVENTS_RETRYAFTER=10ms")
	node := w.nodes[0]
	rose := w.connect(node, "dead-rose", "web")
	rose.must(rose.name, "dead-before")
	stored := w.read("yan-message")
	told := func(msgid string) func() bool {
		return func() bool {
			return len(stored.of(func(e *event) bool { return e.From == rose.name && e.MsgID == msgid })) > 0
		}
	}
	w.eventually("the broker has the first one", told("dead-before"))
	var dead string // the id of the event that died
	w.down(w.Broker, func() {
		rose.must(rose.name, "dead-meanwhile")
		w.eventually("it is given up", func() bool {
			dead = w.dead(node, "message.stored", "dead-meanwhile")
			return dead != ""
		})
	})
	w.ok(node)
	rose.must(rose.name, "dead-after")
	w.eventually("its key goes on without it", told("dead-after"))
	require.False(t, told("dead-meanwhile")())
	var replayed struct {
		State string `json:"state"`
	}
	w.operate(node, http.MethodPost, "/api/v1/outbox/"+dead+"/replay", &replayed)
	require.Equal(t, "pending", replayed.State)
	w.eventually("the replayed one comes", told("dead-meanwhile"))
}
