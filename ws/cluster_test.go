package ws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

// town is a cluster in one process: nodes on one ledger, one registry and one bus.
type town struct {
	t         testing.TB
	store     *wstest.MemStore
	directory *memory.Directory
	broker    *memory.Broker
}

// member is one node of a town.
type member struct {
	*node
	registry *memory.Registry
	paths    *paths
}

// paths counts the ways records came.
type paths struct {
	ws.NoMetrics
	mu     sync.Mutex
	pushed map[ws.Path]int
	bells  map[string]int
}

func (p *paths) Pushed(path ws.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pushed[path]++
}

func (p *paths) Doorbell(outcome string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bells[outcome] += n
}

func (p *paths) count(path ws.Path) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pushed[path]
}

func (p *paths) bell(outcome string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bells[outcome]
}

func newTown(t testing.TB) *town {
	return &town{
		t: t, store: wstest.NewMemStore(), directory: memory.NewDirectory(memory.DirectoryOptions{}),
		broker: memory.NewBroker(memory.BrokerOptions{}),
	}
}

func directoryOf(ttl time.Duration) *memory.Directory {
	return memory.NewDirectory(memory.DirectoryOptions{NodeTTL: ttl})
}

func (w *town) options(n int, registry ws.Registry) func(*ws.Options) {
	return func(o *ws.Options) {
		o.NodeID, o.Advertise = fmt.Sprintf("n%d", n), fmt.Sprintf("127.0.0.1:%d", 8080+n)
		o.Registry, o.Bus = registry, w.broker.Open()
		o.BeatEvery, o.CanaryEvery, o.RegistryTimeout = 20*time.Millisecond, 20*time.Millisecond, 100*time.Millisecond
		o.ReconcileEvery = time.Hour // unless a test is about it
	}
}

func (w *town) node(n int, change func(*ws.Options)) *member { return w.nodeOn(w.store, n, change) }

// nodeOn is node, with a way of its own to the ledger.
func (w *town) nodeOn(store ws.Store, n int, change func(*ws.Options)) *member {
	w.t.Helper()
	m := &member{registry: w.directory.Open(), paths: &paths{pushed: make(map[ws.Path]int), bells: make(map[string]int)}}
	m.node = startNodeOn(w.t, store, func(o *ws.Options) {
		w.options(n, m.registry)(o)
		o.Metrics = m.paths
		if change != nil {
			change(o)
		}
	})
	w.eventually("the node is ready", func() bool { return m.gateway.Health(w.t.Context()).Status == "ok" })
	return m
}

func (w *town) eventually(what string, holds func() bool) {
	w.t.Helper()
	require.Eventually(w.t, holds, patience, 5*time.Millisecond, what)
}

// settled waits until the registry knows a number of routes of users.
func (w *town) settled(count int, users ...string) {
	w.t.Helper()
	registry := w.directory.Open()
	w.eventually("routes are known", func() bool {
		routes, err := registry.Locate(w.t.Context(), users)
		return err == nil && len(routes) == count
	})
}

func reconciling(o *ws.Options) { o.ReconcileEvery = 50 * time.Millisecond }

func TestCluster_Loop(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	laptop := two.connect("rose", "laptop")
	w.settled(3, "rose", "jack")

	rose.send("jack", "the first one", "m0") // a conversation that sessions have not touched is read from the ledger
	jack.expect(2)
	laptop.expect(2)
	accepted := rose.send("jack", "hello", "m1")
	got := jack.expect(2)
	require.Equal(t, "hello", got.p.Message)
	require.Contains(t, string(got.p.FromUser), `"loginStatus":"1"`, "on another node")
	require.Equal(t, accepted.p.MessageID, got.MessageID)
	require.Equal(t, "hello", laptop.expect(2).p.Message, "the sender's other device is on another node too")
	jack.ack("m1", "rose")
	proof := rose.expect(17)
	require.Equal(t, accepted.p.MessageID, proof.p.MessageID)
	require.Equal(t, "web", proof.p.Device)
	require.Equal(t, 2, two.paths.count(ws.PathBus))
	require.Equal(t, 2, two.paths.count(ws.PathLedger), "the first one, for both")

	jack.send("rose", "and back", "m2")
	require.Contains(t, string(rose.expect(2).p.FromUser), `"loginStatus":"1"`)
	w.eventually("who is found on another node is online in what is read later, too", func() bool {
		_, err := two.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "by REST"})
		require.NoError(t, err)
		return strings.Contains(string(jack.expect(2).p.FromUser), `"loginStatus":"1"`)
	})
}

// The first read of the ledger comes once the route stands: what is committed while the registry takes its time is rung
// for nobody, and has to be in that read.
func TestCluster_ReadsOnceTheRouteStands(t *testing.T) {
	w := newTown(t)
	one := w.node(1, nil)
	two := w.node(2, func(o *ws.Options) { o.RegistryTimeout = patience })
	rose := one.connect("rose", "web")
	w.settled(1, "rose")
	release := two.registry.Hold()
	jack := two.connect("jack", "web")
	rose.send("jack", "hello", "m1")
	release()
	require.Equal(t, "hello", jack.expect(2).p.Message)
}

// What is sent while the route does not stand yet may be proven before the proof finds its way.
func TestCluster_ProvesOnceTheRouteStands(t *testing.T) {
	w := newTown(t)
	one := w.node(1, reconciling)
	two := w.node(2, func(o *ws.Options) { o.RegistryTimeout, o.ProofEvery = patience, time.Hour })
	jack := one.connect("jack", "web")
	w.settled(1, "jack")
	release := two.registry.Hold()
	rose := two.connect("rose", "web")
	rose.send("jack", "hello", "m1")
	jack.expect(2)
	jack.ack("m1", "rose")
	release()
	require.Equal(t, "m1", rose.expect(17).p.MsgID)
}

func TestCluster_DeviceMoves(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	old := one.connect("jack", "web")
	other := one.connect("jack", "phone")
	w.settled(2, "jack")
	moved := two.connect("jack", "web")
	code, _ := old.closed()
	require.Equal(t, protocol.CloseReplaced, code)
	w.eventually("the old route is gone", func() bool {
		list, err := one.gateway.Presence(t.Context(), "", []string{"jack"})
		return err == nil && len(list[0].Devices) == 2
	})
	rose := one.connect("rose", "web")
	rose.send("jack", "hello", "m1")
	require.Equal(t, "hello", moved.expect(2).p.Message)
	require.Equal(t, "hello", other.expect(2).p.Message)
}

// A session that was never told to give way, as the bus lost it, gives way all the same.
func TestCluster_DeviceMovesUnheard(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, reconciling), w.node(2, nil)
	old, other := one.connect("jack", "web"), one.connect("jack", "phone")
	w.settled(2, "jack")
	w.broker.Fault(memory.Faults{Lose: 1})
	two.connect("jack", "web")
	code, _ := old.closed()
	require.Equal(t, protocol.CloseReplaced, code)
	other.write(`{"type":11}`)
	other.expect(12)
}

// When the registry is back after a while, whichever node is first must not take the others for dead.
func TestCluster_RegistryBack(t *testing.T) {
	w := newTown(t)
	w.directory = directoryOf(200 * time.Millisecond)
	log := wstest.NewLog(t)
	slow := func(o *ws.Options) { o.BeatEvery, o.Log = 60*time.Millisecond, log.Logger() }
	one, two := w.node(1, slow), w.node(2, slow)
	jack := two.connect("jack", "web")
	w.settled(1, "jack")
	one.registry.Fail(errors.New("connection refused"))
	two.registry.Fail(errors.New("connection refused"))
	time.Sleep(300 * time.Millisecond)
	one.registry.Fail(nil)
	w.eventually("the first node is back", func() bool { return one.gateway.Health(t.Context()).Status == "ok" })
	two.registry.Fail(nil)
	w.eventually("the second node is back", func() bool { return two.gateway.Health(t.Context()).Status == "ok" })
	w.settled(1, "jack")
	rose := one.connect("rose", "web")
	rose.send("jack", "hello", "m1")
	jack.expect(2)
	require.NotContains(t, log.String(), "of a silent node are over")
}

// Where a node has died, its clients come all at once: each other node is told of them together.
func TestCluster_DevicesMoveTogether(t *testing.T) {
	w := newTown(t)
	one := w.node(1, nil)
	two := w.node(2, func(o *ws.Options) { o.RegistryTimeout, o.CanaryEvery = patience, time.Hour })
	users := []string{"jack", "rose", "will", "anna", "paul"}
	old := make([]*client, len(users))
	for i, user := range users {
		old[i] = one.connect(user, "web")
	}
	w.settled(len(users), users...)
	release := two.registry.Hold()
	sent := two.paths.bell("sent")
	for _, user := range users {
		two.connect(user, "web")
	}
	release()
	for _, c := range old {
		code, _ := c.closed()
		require.Equal(t, protocol.CloseReplaced, code)
	}
	require.LessOrEqual(t, two.paths.bell("sent")-sent, 2, "the first one was on its way alone")
}

func TestCluster_StaleSessionGivesWay(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	newer := one.connect("jack", "web")
	w.settled(1, "jack")
	one.registry.Fail(errors.New("cut off"))
	w.eventually("it is noticed", func() bool { return one.gateway.Health(t.Context()).Status == "degraded" })
	latest := two.connect("jack", "web")
	w.eventually("the newer route is known", func() bool {
		routes, err := two.registry.Locate(t.Context(), []string{"jack"})
		return err == nil && len(routes) == 1 && routes[0].Node == "n2"
	})
	one.registry.Fail(nil)
	code, _ := newer.closed()
	require.Equal(t, protocol.CloseReplaced, code, "a node that comes back never puts its sessions over newer ones")
	rose := two.connect("rose", "web")
	rose.send("jack", "hello", "m1")
	require.Equal(t, "hello", latest.expect(2).p.Message)
}

func TestCluster_BusStopped(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, reconciling), w.node(2, reconciling)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	w.broker.Stop()
	for i := range 10 {
		msgid := fmt.Sprintf("m%d", i)
		rose.send("jack", msgid, msgid)
		require.Equal(t, msgid, jack.expect(2).p.Message, "through the ledger")
		jack.ack(msgid, "rose")
		require.Equal(t, msgid, rose.expect(17).p.MsgID, "the proof is found in the ledger too")
	}
	require.Zero(t, two.paths.count(ws.PathBus))
	w.eventually("it is said", func() bool {
		h := two.gateway.Health(t.Context())
		return h.Ready && h.Status == "degraded" && h.Dependencies["bus"] != "ok" && h.Dependencies["registry"] == "ok"
	})
	w.broker.Start()
	w.eventually("it is over", func() bool { return two.gateway.Health(t.Context()).Status == "ok" })
	before := two.paths.count(ws.PathBus)
	w.eventually("the bus is used again", func() bool {
		rose.send("jack", "again", "")
		jack.expect(2)
		return two.paths.count(ws.PathBus) > before
	})
}

func TestCluster_RegistryDown(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, reconciling), w.node(2, reconciling)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	down := errors.New("connection refused")
	one.registry.Fail(down)
	two.registry.Fail(down)
	w.eventually("it is said", func() bool { return one.gateway.Health(t.Context()).Dependencies["registry"] != "ok" })
	rose.send("jack", "hello", "m1")
	require.Equal(t, "hello", jack.expect(2).p.Message)
	late := one.connect("late", "web") // connects although no route can be put
	rose.send("late", "hello", "m2")
	require.Equal(t, "hello", late.expect(2).p.Message)
	list, err := one.gateway.Presence(t.Context(), "", []string{"rose", "jack", "nobody"})
	require.NoError(t, err)
	require.Equal(t, []string{"online", "unknown", "unknown"}, []string{list[0].Status, list[1].Status, list[2].Status})

	w.directory.Forget() // it comes back empty
	one.registry.Fail(nil)
	two.registry.Fail(nil)
	w.settled(3, "rose", "jack", "late")
	w.eventually("everybody's presence is known", func() bool {
		list, err = one.gateway.Presence(t.Context(), "", []string{"rose", "jack", "nobody"})
		require.NoError(t, err)
		return list[2].Status == "offline" // unknown until every node has had the time to put its routes
	})
	require.Equal(t, []string{"online", "online"}, []string{list[0].Status, list[1].Status})
	require.Equal(t, []string{"n2"}, list[1].Nodes)
}

// A registry that comes back from an older copy has routes of sessions that are over.
func TestCluster_RegistryRestored(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	restore := w.directory.Copy()
	require.NoError(t, jack.conn.Close())
	late := two.connect("late", "web")
	w.settled(2, "rose", "jack", "late")
	restore()
	w.eventually("who is over is offline", func() bool {
		list, err := one.gateway.Presence(t.Context(), "", []string{"rose", "jack", "late"})
		require.NoError(t, err)
		return list[0].Status == "online" && list[1].Status == "offline" && list[2].Status == "online"
	})
	rose.send("late", "hello", "m1")
	late.expect(2)
}

func TestCluster_RegistryForgets(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	w.directory.Forget()
	w.settled(2, "rose", "jack")
	for _, msgid := range []string{"m1", "m2"} {
		rose.send("jack", "hello", msgid)
		require.Equal(t, msgid, jack.expect(2).p.MsgID)
	}
	require.Equal(t, 1, two.paths.count(ws.PathBus), "the second one, as the first is read from the ledger")
}

func TestCluster_SessionEnds(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	jack := two.connect("jack", "web")
	w.settled(1, "jack")
	require.NoError(t, jack.conn.Close())
	w.eventually("its route is gone", func() bool {
		list, err := one.gateway.Presence(t.Context(), "", []string{"jack"})
		return err == nil && list[0].Status == "offline"
	})
}

func TestCluster_NodeTaken(t *testing.T) {
	w := newTown(t)
	w.node(1, nil)
	opt := ws.Options{NodeID: "n1", Advertise: "127.0.0.1:8084", Zone: time.UTC}
	w.options(1, w.directory.Open())(&opt)
	opt.Advertise = "127.0.0.1:9999"
	second, err := ws.New(w.store, opt)
	require.NoError(t, err)
	var taken *ws.NodeTakenError
	require.ErrorAs(t, second.Start(t.Context()), &taken)
	require.Equal(t, "127.0.0.1:8081", taken.Address)
	require.NoError(t, second.Stop(t.Context()))
}

// A node that was killed comes back at once, and joins when its former life counts as dead.
func TestCluster_NextLife(t *testing.T) {
	w := newTown(t)
	w.directory = memory.NewDirectory(memory.DirectoryOptions{NodeTTL: 500 * time.Millisecond})
	killed := w.node(1, nil)
	require.NoError(t, killed.registry.Close())
	next := w.node(1, nil)
	nodes, err := next.registry.Nodes(t.Context())
	require.NoError(t, err)
	require.Len(t, nodes, 1)
}

func TestCluster_Leaves(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	jack := two.connect("jack", "web")
	w.settled(1, "jack")
	two.gateway.Drain()
	w.eventually("draining is known", func() bool {
		nodes, err := one.registry.Nodes(t.Context())
		return err == nil && len(nodes) == 2 && nodes[1].Draining
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, two.gateway.Stop(ctx))
	code, _ := jack.closed()
	require.Equal(t, protocol.CloseRestart, code)
	nodes, err := one.registry.Nodes(t.Context())
	require.NoError(t, err)
	require.Len(t, nodes, 1)
	list, err := one.gateway.Presence(t.Context(), "", []string{"jack"})
	require.NoError(t, err)
	require.Equal(t, "offline", list[0].Status)
}

// A route of a node that nobody knows, which no reaper would ever find, makes nobody look online; one that joins does.
func TestCluster_RouteOfNobody(t *testing.T) {
	w := newTown(t)
	one := w.node(1, nil)
	nobody := ws.Node{ID: "n2", Address: "127.0.0.1:8082", Incarnation: 7}
	registry := w.directory.Open()
	_, err := registry.Put(t.Context(), []ws.Route{{
		User: "jack", Device: "web", SessionID: nobody.Address + "_jack_20260101000000", Node: nobody.ID, Incarnation: nobody.Incarnation, Epoch: 1,
	}})
	require.NoError(t, err)
	presence := func() string {
		list, err := one.gateway.Presence(t.Context(), "", []string{"jack"})
		require.NoError(t, err)
		return list[0].Status
	}
	w.eventually("it counts for nobody", func() bool { return presence() == "offline" })
	_, err = registry.Beat(t.Context(), nobody)
	require.NoError(t, err)
	w.eventually("the node joins", func() bool { return presence() == "online" })
}

func TestCluster_StaleDoorbell(t *testing.T) {
	w := newTown(t)
	two := w.node(2, nil)
	before := two.paths.bell("stale")
	body := []byte{1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0} // a canary of another life
	require.NoError(t, w.broker.Open().Publish("n2", ws.LaneMessages, body))
	w.eventually("it is dropped", func() bool { return two.paths.bell("stale") == before+1 })
	require.NoError(t, w.broker.Open().Publish("n2", ws.LaneMessages, []byte("\x01 what is this?")))
	require.NoError(t, w.broker.Open().Publish("n2", ws.LaneMessages, []byte{9, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0}))
	w.eventually("it is counted", func() bool { return two.paths.bell("broken")+two.paths.bell("stale") == before+3 })
	rose, jack := two.connect("rose", "web"), two.connect("jack", "web")
	rose.send("jack", "hello", "m1")
	require.Equal(t, "hello", jack.expect(2).p.Message)
}

// TestCluster_FaultyBus sends both ways over a bus that loses, repeats and reorders: each message is shown once, in
// order, and each proof arrives.
func TestCluster_FaultyBus(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, reconciling), w.node(2, reconciling)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	w.broker.Fault(memory.Faults{Lose: 0.2, Repeat: 0.2, Late: 0.3, Delay: 20 * time.Millisecond, Seed: 7})
	const messages = 200
	var talks sync.WaitGroup
	for _, pair := range [][2]*client{{rose, jack}, {jack, rose}} {
		talks.Go(func() { talk(t, pair[0], pair[1].user, messages) })
	}
	talks.Wait()
	require.Positive(t, two.paths.count(ws.PathBus))
	require.Positive(t, two.paths.count(ws.PathLedger))
}

// talk sends messages to peer while it shows and acknowledges what peer sends, until all of both are proved and shown.
func talk(t *testing.T, c *client, peer string, messages int) {
	sent, shown, proved := 0, 0, make(map[string]bool)
	send := func() {
		if sent < messages {
			c.sendOnly(peer, fmt.Sprintf("%s %d", c.user, sent), fmt.Sprintf("%s-%d", c.user, sent))
			sent++
		}
	}
	send()
	seen := make(map[uint64]bool)
	for shown < messages || len(proved) < messages {
		r, err := c.next()
		if err != nil {
			t.Errorf("%s was cut off with %d shown, %d proved: %v", c.user, shown, len(proved), err)
			return
		}
		switch r.kind() {
		case 0:
			send()
		case 2:
			if !seen[r.p.Seq] {
				seen[r.p.Seq] = true
				if want := fmt.Sprintf("%s %d", peer, shown); r.p.Message != want {
					t.Errorf("%s was shown %q for %q", c.user, r.p.Message, want)
					return
				}
				shown++
			}
			c.ackOnly(r.p.MsgID, peer)
		case 17:
			proved[r.p.MsgID] = true
		case 500:
			t.Errorf("%s: %+v", c.user, r.p)
			return
		}
	}
}
