package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

// told is an event as another system reads it.
type told struct {
	Topic, Key string

	ID, Event, MessageID, ConversationID string
	Seq                                  uint64
	From, To, Device, MsgID, OpenID      string
	FileType                             string
	Message                              *string
	At                                   int64
}

// sink keeps what it is sent.
type sink struct {
	t    testing.TB
	mu   sync.Mutex
	got  []told
	fail func(e told) error // nil: it fails nothing
}

func (s *sink) Send(_ context.Context, topic, key string, payload []byte) error {
	e := told{}
	if err := json.Unmarshal(payload, &e); err != nil {
		s.t.Errorf("a payload is no JSON: %v", err)
	}
	e.Topic, e.Key = topic, key
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(e); err != nil {
			return err
		}
	}
	s.got = append(s.got, e)
	return nil
}

func (s *sink) failing(fail func(told) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// events returns what came of some kinds, all for none.
func (s *sink) events(kinds ...string) []told {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.got), func(e told) bool { return len(kinds) > 0 && !slices.Contains(kinds, e.Event) })
}

// await waits for a number of events of a kind.
func (s *sink) await(count int, kind string) []told {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return len(s.events(kind)) >= count }, patience, time.Millisecond, kind)
	return s.events(kind)
}

// publishing turns events on.
func (s *sink) publishing(change func(*ws.EventOptions)) func(*ws.Options) {
	return func(o *ws.Options) {
		o.Events = &ws.EventOptions{
			Sink: s, Topics: ws.EventTopics{Message: "message", Receipt: "receipt", Offline: "offline"},
			OfflineAfter: time.Hour, RetryAfter: time.Millisecond, PollEvery: time.Millisecond, Linger: time.Millisecond, LeaseTerm: time.Second,
		}
		if change != nil {
			change(o.Events)
		}
	}
}

func TestOutbox_Messages(t *testing.T) {
	s := &sink{t: t}
	n := startNode(t, s.publishing(nil))
	rose, jack := n.connect("rose", "web"), n.connect("jack", "phone")
	accepted := rose.send("jack", "a secret", "m1")
	jack.expect(2)
	jack.ack("m1", "rose")

	stored := s.await(1, "message.stored")[0]
	require.Positive(t, stored.At)
	stored.At = 0
	id, conversation := accepted.p.MessageID, accepted.p.MessageID[:16]
	require.Equal(t, told{
		Topic: "message", Key: conversation, ID: "message.stored:" + id, Event: "message.stored",
		MessageID: id, ConversationID: conversation, Seq: 1, From: "rose", To: "jack", MsgID: "m1", FileType: "0",
	}, stored)
	delivered := s.await(1, "message.delivered")[0]
	delivered.At = 0
	require.Equal(t, told{
		Topic: "receipt", Key: conversation, ID: "message.delivered:" + id + ":phone:jack", Event: "message.delivered",
		MessageID: id, ConversationID: conversation, Seq: 1, From: "rose", To: "jack", Device: "phone", MsgID: "m1",
	}, delivered)
	require.Empty(t, s.events("recipient.offline"))
}

func TestOutbox_Bodies(t *testing.T) {
	s := &sink{t: t}
	n := startNode(t, s.publishing(func(o *ws.EventOptions) { o.Bodies = true }))
	n.known("jack")
	n.connect("rose", "web").send("jack", "hello", "m1")
	require.Equal(t, "hello", *s.await(1, "message.stored")[0].Message)
}

func TestOutbox_Off(t *testing.T) {
	n := startNode(t, nil)
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.send("jack", "hello", "m1")
	jack.expect(2)
	jack.ack("m1", "rose")
	for _, state := range []ws.EventState{ws.EventPending, ws.EventScheduled, ws.EventDead} {
		events, err := n.store.Events(t.Context(), state, 0, 1)
		require.NoError(t, err)
		require.Empty(t, events)
	}
	require.NotContains(t, n.gateway.Health(t.Context()).Dependencies, "outbox")
}

func TestOutbox_RecipientOffline(t *testing.T) {
	s := &sink{t: t}
	n := startNode(t, s.publishing(func(o *ws.EventOptions) { o.OfflineAfter = time.Second }))
	n.known("away")
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	rose.send("jack", "he has it", "m1")
	jack.expect(2)
	jack.ack("m1", "rose")
	recalled := rose.send("away", "recalled", "m2")
	id, ok := protocol.ParseMessageID(recalled.p.MessageID)
	require.True(t, ok)
	require.NoError(t, n.gateway.Recall(t.Context(), "rose", false, id))
	missed := rose.send("away", "missed", "m3")

	offline := s.await(1, "recipient.offline")
	require.Equal(t, []string{missed.p.MessageID, "away", "m3", "offline"}, []string{offline[0].MessageID, offline[0].To, offline[0].MsgID, offline[0].Topic})
	require.Eventually(t, func() bool {
		scheduled, err := n.store.Events(t.Context(), ws.EventScheduled, 0, 1)
		return err == nil && len(scheduled) == 0
	}, patience, time.Millisecond)
	require.Len(t, s.events("recipient.offline"), 1)
}

// Events of a conversation come in order although every third attempt fails, and each of them comes.
func TestOutbox_OrderPerKey(t *testing.T) {
	const messages, peers = 120, 3
	s := &sink{t: t, fail: func(told) error { return errors.New("no broker") }}
	n := startNode(t, s.publishing(nil))
	rose := n.connect("rose", "web")
	for i := range messages {
		peer := fmt.Sprintf("peer%d", i%peers)
		if i < peers {
			n.known(peer)
		}
		rose.send(peer, "hello", fmt.Sprintf("m%d", i))
	}
	attempts := 0
	s.failing(func(told) error {
		if attempts++; attempts%3 == 0 {
			return errors.New("the broker is busy")
		}
		return nil
	})
	next := make(map[string]uint64)
	for _, e := range s.await(messages, "message.stored") {
		next[e.Key]++
		require.Equal(t, next[e.Key], e.Seq)
	}
	require.Len(t, next, peers)
}

// An event that cannot be published holds up those of its key alone, and is dead in the end. Replayed, it is published.
func TestOutbox_Dead(t *testing.T) {
	poison := func(e told) error {
		if e.MsgID == "poison" {
			return errors.New("the broker does not like it")
		}
		return nil
	}
	s := &sink{t: t, fail: poison}
	n := startNode(t, s.publishing(func(o *ws.EventOptions) { o.MaxAttempts = 5 }))
	n.known("jack", "mary")
	rose := n.connect("rose", "web")
	for _, msgid := range []string{"before", "poison", "after"} {
		rose.send("jack", "hello", msgid)
	}
	rose.send("mary", "hello", "apart")
	s.await(3, "message.stored")

	dead, next, err := n.gateway.Outbox(t.Context(), ws.EventDead, 0, 10)
	require.NoError(t, err)
	require.Zero(t, next)
	require.Len(t, dead, 1)
	require.Equal(t, uint32(5), dead[0].Attempts)
	require.Contains(t, string(dead[0].Payload), "poison")
	require.ErrorIs(t, n.gateway.Replay(t.Context(), dead[0].ID+1), ws.ErrNotFound)

	s.failing(nil)
	require.NoError(t, n.gateway.Replay(t.Context(), dead[0].ID))
	stored := s.await(4, "message.stored")
	require.Equal(t, "poison", stored[3].MsgID)
	require.Eventually(t, func() bool {
		dead, _, err = n.gateway.Outbox(t.Context(), ws.EventDead, 0, 10)
		return err == nil && len(dead) == 0
	}, patience, time.Millisecond)
}

func TestOutbox_List(t *testing.T) {
	s := &sink{t: t, fail: func(told) error { return errors.New("no broker") }}
	n := startNode(t, s.publishing(func(o *ws.EventOptions) { o.RetryAfter = time.Hour }))
	n.known("jack")
	rose := n.connect("rose", "web")
	for i := range 5 {
		rose.send("jack", "hello", fmt.Sprintf("m%d", i))
	}
	page, next, err := n.gateway.Outbox(t.Context(), ws.EventPending, 0, 3)
	require.NoError(t, err)
	require.Len(t, page, 3)
	rest, end, err := n.gateway.Outbox(t.Context(), ws.EventPending, next, 3)
	require.NoError(t, err)
	require.Len(t, rest, 3, "five messages, and rose who is online")
	require.Greater(t, rest[0].ID, page[2].ID)
	require.Zero(t, end)
	var coded *protocol.Error
	require.ErrorAs(t, n.gateway.Replay(t.Context(), page[0].ID), &coded)
	require.Equal(t, protocol.Conflict, coded.Code)
}

// What was not published when the node ended is published by its next life.
func TestOutbox_SurvivesTheNode(t *testing.T) {
	s := &sink{t: t, fail: func(told) error { return errors.New("no broker") }}
	n := startNode(t, s.publishing(nil))
	n.known("jack")
	n.connect("rose", "web").send("jack", "hello", "m1")
	n.stop()
	require.Empty(t, s.events())
	s.failing(nil)
	startNodeOn(t, n.store, s.publishing(nil))
	s.await(1, "message.stored")
	s.await(1, "user.online")
	s.await(1, "user.offline")
}

// leaseOf returns a lease's refusal for anybody else; nil: it is free.
func leaseOf(t testing.TB, store ws.Store) error {
	now := ws.Millis(time.Now().UnixMilli())
	op := &ws.TakeLease{Name: "outbox", Holder: "somebody else", At: now, Until: now}
	require.NoError(t, store.Commit(t.Context(), []ws.Op{op}))
	return op.Err
}

func TestOutbox_OneNodePublishes(t *testing.T) {
	w := newTown(t)
	first, second := &sink{t: t}, &sink{t: t}
	one := w.node(1, first.publishing(nil))
	w.eventually("the lease is taken", func() bool { return leaseOf(t, w.store) != nil })
	two := w.node(2, second.publishing(nil))
	one.known("jack")
	const messages = 50 // enough for a second publisher to be seen
	rose := two.connect("rose", "web")
	for i := range messages {
		rose.send("jack", "hello", fmt.Sprintf("m%d", i))
	}
	first.await(messages, "message.stored")
	require.Empty(t, second.events())

	one.stop()
	two.connect("mary", "web").send("jack", "hello", "after")
	second.await(1, "message.stored")
	require.Len(t, first.events("message.stored"), messages)
}

// A node that was killed holds the lease until its term is over; then another one goes on.
func TestOutbox_TakenOver(t *testing.T) {
	w := newTown(t)
	now := ws.Millis(time.Now().UnixMilli())
	killed := &ws.TakeLease{Name: "outbox", Holder: "killed", At: now, Until: now + 500}
	require.NoError(t, w.store.Commit(t.Context(), []ws.Op{killed}))
	s := &sink{t: t}
	one := w.node(1, s.publishing(nil))
	one.known("jack")
	one.connect("rose", "web").send("jack", "hello", "m1")
	stored := s.await(1, "message.stored")
	require.GreaterOrEqual(t, ws.Millis(time.Now().UnixMilli()), killed.Until)
	require.Len(t, stored, 1)
}

// presence is what was told of users, in order and without what was told again.
func (s *sink) presence() string {
	var all []string
	for _, e := range s.events("user.online", "user.offline") {
		all = append(all, e.OpenID+" "+strings.TrimPrefix(e.Event, "user."))
	}
	return strings.Join(slices.Compact(all), ", ")
}

func TestOutbox_Presence(t *testing.T) {
	s := &sink{t: t}
	n := startNode(t, s.publishing(nil))
	web := n.connect("rose", "web")
	online := s.await(1, "user.online")[0]
	require.Equal(t, "offline rose", online.Topic+" "+online.Key)
	phone := n.connect("rose", "phone")
	require.NoError(t, web.conn.Close())
	phone.send("rose", "a note", "m1")
	s.await(1, "message.stored")
	require.Equal(t, "rose online", s.presence(), "the phone is there")
	require.NoError(t, phone.conn.Close())
	s.await(1, "user.offline")
	n.connect("rose", "web")
	s.await(2, "user.online")
	n.stop()
	startNodeOn(t, n.store, s.publishing(nil))
	s.await(2, "user.offline")
	require.Equal(t, "rose online, rose offline, rose online, rose offline", s.presence())
}

func TestOutbox_PresenceLingers(t *testing.T) {
	s := &sink{t: t}
	n := startNode(t, s.publishing(func(o *ws.EventOptions) { o.Linger = time.Hour }))
	rose := n.connect("rose", "web")
	s.await(1, "user.online")
	require.NoError(t, rose.conn.Close())
	n.connect("rose", "web").send("rose", "a note", "m1")
	s.await(1, "message.stored")
	require.Equal(t, "rose online", s.presence(), "rose was never away")
}

// A user whose sessions are on two nodes comes once and goes once.
func TestOutbox_PresenceOfTwoNodes(t *testing.T) {
	w := newTown(t)
	s := &sink{t: t}
	one, two := w.node(1, s.publishing(nil)), w.node(2, s.publishing(nil))
	web := one.connect("rose", "web")
	s.await(1, "user.online")
	phone := two.connect("rose", "phone")
	w.settled(2, "rose")
	require.NoError(t, web.conn.Close())
	w.settled(1, "rose")
	two.known("jack")
	phone.send("jack", "still here", "m1")
	s.await(1, "message.stored")
	require.NoError(t, phone.conn.Close())
	s.await(1, "user.offline")
	require.Equal(t, "rose online, rose offline", s.presence())
}

// The users of a node that was killed are offline, but for those who are elsewhere by then.
func TestOutbox_PresenceOfAKilledNode(t *testing.T) {
	w := newTown(t)
	w.directory = memory.NewDirectory(memory.DirectoryOptions{NodeTTL: 500 * time.Millisecond})
	s := &sink{t: t}
	one, two := w.node(1, s.publishing(nil)), w.node(2, s.publishing(nil))
	two.connect("rose", "web")
	two.connect("jack", "web")
	s.await(2, "user.online")
	require.NoError(t, two.registry.Close()) // silent from now on
	time.Sleep(2 * time.Millisecond)         // of two sessions of one millisecond nobody can tell which is older
	one.connect("jack", "phone")
	offline := s.await(1, "user.offline")
	require.Equal(t, "rose", offline[0].OpenID)
	require.Len(t, s.events("user.online", "user.offline"), 3)
}

// last is what was told last of a user.
func (s *sink) last(user string) (last string) {
	for _, e := range s.events("user.online", "user.offline") {
		if e.OpenID == user {
			last = strings.TrimPrefix(e.Event, "user.")
		}
	}
	return last
}

// The users of a node that was cut off for so long that it counted as dead are online again once it is back, and so is who
// comes back to it soon.
func TestOutbox_PresenceOfANodeCutOff(t *testing.T) {
	w := newTown(t)
	w.directory = directoryOf(300 * time.Millisecond)
	s := &sink{t: t}
	linger := s.publishing(func(o *ws.EventOptions) { o.Linger = 2 * time.Second })
	w.node(1, linger)
	two := w.node(2, linger)
	two.connect("rose", "web")
	jack := two.connect("jack", "web")
	s.await(2, "user.online")
	two.registry.Fail(errors.New("connection refused"))
	w.eventually("both are offline", func() bool { return s.last("rose") == "offline" && s.last("jack") == "offline" })
	require.NoError(t, jack.conn.Close())
	two.registry.Fail(nil)
	w.eventually("rose is online again", func() bool { return s.last("rose") == "online" })
	two.connect("jack", "web")
	w.eventually("jack is online again", func() bool { return s.last("jack") == "online" })
}

// While the registry is down nobody can tell who is online; it is told afterwards.
func TestOutbox_PresenceWithoutARegistry(t *testing.T) {
	w := newTown(t)
	s := &sink{t: t}
	one := w.node(1, s.publishing(nil))
	rose := one.connect("rose", "web")
	s.await(1, "user.online")
	one.registry.Fail(errors.New("connection refused"))
	w.eventually("it is noticed", func() bool { return one.gateway.Health(t.Context()).Status == "degraded" })
	require.NoError(t, rose.conn.Close())
	brief := one.connect("brief", "web")
	jack := one.connect("jack", "web")
	require.NoError(t, brief.conn.Close())
	jack.send("jack", "a note", "m1")
	s.await(1, "message.stored")
	require.Equal(t, "rose online", s.presence())
	one.registry.Fail(nil)
	s.await(2, "user.online")
	s.await(1, "user.offline")
	require.NotContains(t, s.presence(), "brief")
}

// Who moved while the registry was down is not told offline by the node left behind before the other one could say who came.
func TestOutbox_PresenceOfWhoMovedWithoutARegistry(t *testing.T) {
	w := newTown(t)
	s := &sink{t: t}
	slow := func(o *ws.Options) {
		s.publishing(nil)(o)
		o.BeatEvery = 3 * time.Second
	}
	one, two := w.node(1, slow), w.node(2, s.publishing(nil))
	jack := one.connect("jack", "web")
	s.await(1, "user.online")
	for _, n := range []*member{one, two} {
		n.registry.Fail(errors.New("connection refused"))
		w.eventually("it is noticed", func() bool { return n.gateway.Health(t.Context()).Status == "degraded" })
	}
	require.NoError(t, jack.conn.Close())
	there := two.connect("jack", "web")
	one.registry.Fail(nil)
	w.eventually("one can use the registry again", func() bool { return one.gateway.Health(t.Context()).Status == "ok" })
	time.Sleep(500 * time.Millisecond) // in which it could tell what is not so
	require.Equal(t, "jack online", s.presence())
	two.registry.Fail(nil)
	w.settled(1, "jack")
	require.NoError(t, there.conn.Close())
	s.await(1, "user.offline")
}

// unreadable is a ledger that cannot say who has a certain message.
type unreadable struct {
	ws.Store
	id atomic.Pointer[ws.MessageID]
}

func (u *unreadable) ReceiptsOf(ctx context.Context, id ws.MessageID) ([]ws.Receipt, error) {
	if bad := u.id.Load(); bad == nil || *bad == id {
		return nil, ws.ErrUnavailable
	}
	return u.Store.ReceiptsOf(ctx, id)
}

// A check that cannot be made holds up no other one, and is made once it can be. Neither does one that a clock ahead has put off.
func TestOutbox_OfflineChecksThatFail(t *testing.T) {
	s, ledger := &sink{t: t}, &unreadable{Store: wstest.NewMemStore()}
	var ahead atomic.Int64
	n := startNodeOn(t, ledger, func(o *ws.Options) {
		s.publishing(func(e *ws.EventOptions) { e.OfflineAfter = 100 * time.Millisecond })(o)
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	n.known("jack", "will", "anna")
	rose := n.connect("rose", "web")
	ahead.Store(int64(time.Hour))
	rose.send("anna", "an hour from now", "m0")
	ahead.Store(0)
	bad := rose.send("jack", "cannot be read", "m1").p.MessageID
	id, ok := protocol.ParseMessageID(bad)
	require.True(t, ok)
	rose.send("will", "can be read", "m2")
	ledger.id.Store(&id)
	require.Equal(t, "will", s.await(1, "recipient.offline")[0].To)
	ledger.id.Store(&ws.MessageID{})
	require.Equal(t, "jack", s.await(2, "recipient.offline")[1].To)
}

// slowStore holds up the first commit that begins with an event of one kind until it is let go.
type slowStore struct {
	ws.Store
	kind      string
	once      sync.Once
	held, let chan struct{}
}

func (s *slowStore) Commit(ctx context.Context, ops []ws.Op) error {
	for _, op := range ops {
		if add, ok := op.(*ws.AddEvents); ok && strings.Contains(string(add.Events[0].Payload), s.kind) {
			s.once.Do(func() {
				close(s.held)
				select {
				case <-s.let:
				case <-ctx.Done():
				}
			})
		}
	}
	return s.Store.Commit(ctx, ops)
}

// A node that is slow to write that a user is offline may do it after another one wrote that the user is online: it says that
// again, once it can know.
func TestOutbox_PresenceToldLate(t *testing.T) {
	for name, down := range map[string]error{"registry up": nil, "registry down": errors.New("connection refused")} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			s := &sink{t: t}
			slow := &slowStore{Store: w.store, kind: "user.offline", held: make(chan struct{}), let: make(chan struct{})}
			one, two := w.nodeOn(slow, 1, s.publishing(nil)), w.node(2, s.publishing(nil))
			jack := one.connect("jack", "web")
			s.await(1, "user.online")
			require.NoError(t, jack.conn.Close())
			<-slow.held
			two.connect("jack", "web")
			s.await(2, "user.online")
			one.registry.Fail(down)
			close(slow.let)
			s.await(1, "user.offline")
			one.registry.Fail(nil)
			w.eventually("jack is online", func() bool { return s.last("jack") == "online" })
		})
	}
}

// Who goes from one node to another before the first one could tell anything is online: the second one saw the older session there,
// and left it to that node.
func TestOutbox_PresenceOfWhoHops(t *testing.T) {
	w := newTown(t)
	s := &sink{t: t}
	slow := &slowStore{Store: w.store, kind: "user.online", held: make(chan struct{}), let: make(chan struct{})}
	one, two := w.nodeOn(slow, 1, s.publishing(nil)), w.node(2, s.publishing(nil))
	one.connect("rose", "web") // whom it takes long to tell of
	<-slow.held
	jack := one.connect("jack", "web")
	brief := one.connect("brief", "web")
	w.settled(2, "jack", "brief")
	time.Sleep(2 * time.Millisecond) // of two sessions of one millisecond nobody can tell which is older
	there := two.connect("jack", "phone")
	w.settled(3, "jack", "brief")
	for range 20 { // the second node has looked
		two.known("will")
		there.send("will", "hello", "")
	}
	require.Empty(t, s.last("jack"))
	require.NoError(t, jack.conn.Close())
	require.NoError(t, brief.conn.Close())
	w.settled(1, "jack", "brief")
	close(slow.let)
	w.eventually("jack is online", func() bool { return s.last("jack") == "online" })
	require.NoError(t, there.conn.Close())
	w.eventually("jack is offline", func() bool { return s.last("jack") == "offline" })
	require.Empty(t, s.last("brief"), "nobody was told, and there is nothing to tell")
}
