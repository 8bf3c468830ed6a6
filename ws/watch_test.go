package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// subscribe subscribes to the presence of users and returns the answer.
func (c *client) subscribe(users ...string) []standing {
	c.t.Helper()
	c.subscribeOnly(users...)
	return c.expect(23).p.Users
}

func (c *client) subscribeOnly(users ...string) {
	c.t.Helper()
	list, err := json.Marshal(append([]string{}, users...))
	require.NoError(c.t, err)
	c.write(`{"type":23,"id":"w","params":{"users":` + string(list) + `}}`)
}

// told returns the next change of presence.
func (c *client) told() standing {
	c.t.Helper()
	p := c.expect(24).p
	return standing{p.OpenID, p.PresenceStatus, p.Devices}
}

func online(user string, devices ...string) standing { return standing{user, "online", devices} }
func offline(user string) standing                   { return standing{user, "offline", []string{}} }

func unknown(user string) standing { return standing{user, "unknown", []string{}} }

func quickly(o *ws.Options) { o.PresenceLinger = 50 * time.Millisecond }

func TestGateway_Watch(t *testing.T) {
	n := startNode(t, quickly)
	rose := n.connect("rose", "web")
	n.connect("will", "phone")
	require.Equal(t, []standing{offline("jack"), online("will", "phone")}, rose.subscribe("jack", "will", "jack"))
	jack := n.connect("jack", "web")
	require.Equal(t, online("jack", "web"), rose.told())
	phone := n.connect("jack", "phone")
	require.Equal(t, online("jack", "web", "phone"), rose.told())
	require.NoError(t, jack.conn.Close())
	require.Equal(t, online("jack", "phone"), rose.told())
	require.NoError(t, phone.conn.Close())
	require.Equal(t, offline("jack"), rose.told())

	t.Run("EachWatcher", func(t *testing.T) {
		old, _, err := n.dial("old", "&device=web")
		require.NoError(t, err)
		require.Equal(t, []standing{offline("jack")}, old.subscribe("jack"), "who asks for it knows it")
		n.connect("jack", "tablet")
		for _, c := range []*client{rose, old} {
			require.Equal(t, online("jack", "tablet"), c.told())
		}
	})
	t.Run("Replaced", func(t *testing.T) {
		require.Equal(t, []standing{online("will", "phone"), offline("anna")}, rose.subscribe("will", "anna"))
		n.connect("jack", "watch")
		n.connect("anna", "web")
		require.Equal(t, online("anna", "web"), rose.told(), "and nothing of jack")
		require.Empty(t, rose.subscribe())
		n.connect("anna", "phone")
		require.Equal(t, []standing{offline("carl")}, rose.subscribe("carl"))
		n.connect("carl", "web")
		require.Equal(t, online("carl", "web"), rose.told(), "and nothing of anna")
	})
	t.Run("Oneself", func(t *testing.T) {
		carl := n.connect("carl", "web")
		require.Equal(t, []standing{online("carl", "web")}, carl.subscribe("carl"))
	})
}

// Who comes back in time was never away, and a device that is gone is missed no sooner than that.
func TestGateway_WatchLingers(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.PresenceLinger = time.Hour })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	for range 3 {
		require.NoError(t, jack.conn.Close())
		require.Eventually(t, func() bool {
			list, err := n.gateway.Presence(t.Context(), "", []string{"jack"})
			return err == nil && list[0].Status == "offline"
		}, patience, time.Millisecond)
		require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
		jack = n.connect("jack", "web")
	}
	n.connect("jack", "phone")
	require.Equal(t, online("jack", "web", "phone"), rose.told())
}

func TestGateway_WatchForbidden(t *testing.T) {
	n := startNode(t, func(o *ws.Options) {
		quickly(o)
		o.Authorizer = strict{}
	})
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	require.Equal(t, []standing{offline("will"), unknown("jack")}, rose.subscribe("jack", "will"), "the others are told of")
	require.Equal(t, []standing{online("jack", "web")}, jack.subscribe("jack"), "of oneself too")
	n.connect("jack", "phone")
	require.Equal(t, online("jack", "web", "phone"), jack.told())
	n.connect("will", "web")
	require.Equal(t, online("will", "web"), rose.told(), "and nothing of jack")

	for viewer, want := range map[string]string{"rose": "unknown", "jack": "online", "": "online"} {
		list, err := n.gateway.Presence(t.Context(), viewer, []string{"will", "jack"})
		require.NoError(t, err)
		require.Equal(t, []string{"online", want}, []string{list[0].Status, list[1].Status}, viewer)
		require.Equal(t, want == "unknown", list[1].Devices == nil && list[1].Nodes == nil && list[1].LastSeen == 0, viewer)
	}
}

func TestGateway_WatchRefused(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.WatchedUsers, o.FramesPerSecond, o.FrameBurst = 20, 1e-6, 5 })
	rose := n.connect("rose", "web")
	rose.subscribeOnly(strings.Split("u"+strings.Repeat(",u", 20), ",")...)
	refused := rose.expect(500)
	require.Equal(t, "bad_field", refused.p.Code)
	require.Equal(t, "users", refused.p.Field)
	require.Equal(t, "w", refused.ID)
	require.Len(t, rose.subscribe(strings.Split("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t", ",")...), 20)
	rose.subscribeOnly("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	require.Equal(t, "rate_limited", rose.expect(500).p.Code, "one for each refusal and ten users, and one for each frame")
}

func TestCluster_Watch(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, quickly), w.node(2, quickly)
	rose := one.connect("rose", "web")
	require.Equal(t, []standing{offline("jack")}, rose.subscribe("jack"))
	jack := two.connect("jack", "web")
	require.Equal(t, online("jack", "web"), rose.told())
	here := one.connect("jack", "phone")
	require.Equal(t, online("jack", "web", "phone"), rose.told())
	require.NoError(t, jack.conn.Close())
	require.Equal(t, online("jack", "phone"), rose.told())
	require.NoError(t, here.conn.Close())
	require.Equal(t, offline("jack"), rose.told())

	will := two.connect("will", "web")
	w.settled(1, "will")
	require.Equal(t, []standing{offline("jack"), online("will", "web")}, rose.subscribe("jack", "will"), "known to the registry alone")
	moved := one.connect("will", "web")
	code, _ := will.closed()
	require.Equal(t, 4409, code)
	two.connect("jack", "web")
	require.Equal(t, online("jack", "web"), rose.told(), "a device that moves is not seen")
	require.NoError(t, moved.conn.Close())
	require.Equal(t, offline("will"), rose.told())
}

// watching returns rose, who watches jack, and jack's node, which counts as dead when it is silent for a moment.
func watching(t *testing.T) (rose *client, two *member) {
	w := newTown(t)
	w.directory = directoryOf(300 * time.Millisecond)
	one := w.node(1, quickly)
	two = w.node(2, quickly)
	rose = one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	return rose, two
}

func TestCluster_WatchKilledNode(t *testing.T) {
	rose, two := watching(t)
	require.NoError(t, two.registry.Close()) // nobody hears of it any more
	require.Equal(t, offline("jack"), rose.told())
}

// Who watches somebody on a node that was cut off, and counted as dead, learns that it is back.
func TestCluster_WatchNodeCutOff(t *testing.T) {
	rose, two := watching(t)
	two.registry.Fail(errors.New("connection refused"))
	require.Equal(t, offline("jack"), rose.told())
	two.registry.Fail(nil)
	require.Equal(t, online("jack", "web"), rose.told())
}

// slowReaper is a registry that has much to remove.
type slowReaper struct {
	ws.Registry
	takes time.Duration
}

func (r *slowReaper) Reap(ctx context.Context) ([]ws.Route, error) {
	select {
	case <-time.After(r.takes):
		return r.Registry.Reap(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A node that takes its time to remove the routes of a dead one does not take the registry for dead as well.
func TestCluster_WatchSlowReap(t *testing.T) {
	w := newTown(t)
	w.directory = directoryOf(300 * time.Millisecond)
	one := w.node(1, func(o *ws.Options) {
		quickly(o)
		o.BeatEvery, o.RegistryTimeout = 100*time.Millisecond, 25*time.Millisecond
		o.Registry = &slowReaper{o.Registry, 2 * o.RegistryTimeout}
	})
	two := w.node(2, quickly)
	rose := one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	require.NoError(t, two.registry.Close())
	require.Equal(t, offline("jack"), rose.told())
}

// patiently is quickly on a node that does not give the registry up on a busy machine.
func patiently(o *ws.Options) {
	quickly(o)
	o.RegistryTimeout = patience
}

func TestCluster_WatchLeavingNode(t *testing.T) {
	w := newTown(t)
	one := w.node(1, quickly)
	two := w.node(2, patiently)
	rose := one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	require.NoError(t, two.gateway.Stop(t.Context()))
	require.Equal(t, offline("jack"), rose.told())
}

// slowRemover takes a while to remove routes, and does not do it if nobody waits for it any more.
type slowRemover struct {
	ws.Registry
	removes chan struct{} // gets one when a removal has begun
}

func (r *slowRemover) Remove(ctx context.Context, routes []ws.Route) error {
	select {
	case r.removes <- struct{}{}:
	default:
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return r.Registry.Remove(ctx, routes)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A node that stops finishes what it was telling the registry: a call that is cut short would leave its users online.
func TestCluster_WatchLeavingNode_SlowRegistry(t *testing.T) {
	w := newTown(t)
	one := w.node(1, quickly)
	slow := &slowRemover{removes: make(chan struct{}, 1)}
	two := w.node(2, func(o *ws.Options) {
		patiently(o)
		slow.Registry = o.Registry
		o.Registry = slow
	})
	rose := one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	require.NoError(t, two.gateway.Stop(t.Context()))
	require.NotEmpty(t, slow.removes)
	require.Equal(t, offline("jack"), rose.told())
}

// A node that stops asks a registry once more that did not answer.
func TestCluster_WatchLeavingNode_RegistryBack(t *testing.T) {
	w := newTown(t)
	one := w.node(1, quickly)
	var deaf *deafRegistry
	two := w.node(2, func(o *ws.Options) {
		patiently(o)
		o.BeatEvery = time.Hour
		deaf = &deafRegistry{Registry: o.Registry}
		o.Registry = deaf
	})
	rose := one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	deaf.removals.Store(1)
	require.NoError(t, two.gateway.Stop(t.Context()))
	require.LessOrEqual(t, deaf.removals.Load(), int32(0))
	require.Equal(t, offline("jack"), rose.told())
}

// deafRegistry does not hear so many removals.
type deafRegistry struct {
	ws.Registry
	removals atomic.Int32
}

func (r *deafRegistry) Remove(ctx context.Context, routes []ws.Route) error {
	if r.removals.Add(-1) >= 0 {
		return ws.ErrUnavailable
	}
	return r.Registry.Remove(ctx, routes)
}

func TestCluster_WatchRegistryDown(t *testing.T) {
	w := newTown(t)
	one := w.node(1, func(o *ws.Options) { quickly(o); o.BeatEvery = 500 * time.Millisecond })
	two := w.node(2, quickly)
	rose := one.connect("rose", "web")
	one.connect("will", "web")
	two.connect("jack", "web")
	w.settled(3, "rose", "jack", "will")
	require.Equal(t, []standing{online("jack", "web"), online("will", "web"), offline("anna")}, rose.subscribe("jack", "will", "anna"))
	down := errors.New("connection refused")
	one.registry.Fail(down)
	two.registry.Fail(down)
	require.ElementsMatch(t, []standing{unknown("jack"), unknown("anna")}, []standing{rose.told(), rose.told()}, "will is here")
	require.Equal(t, []standing{unknown("carl"), online("will", "web")}, rose.subscribe("carl", "will"))
	one.connect("carl", "web")
	require.Equal(t, online("carl", "web"), rose.told())
	rose.subscribe("jack", "anna")

	w.directory.Forget() // it comes back empty
	one.registry.Fail(nil)
	w.eventually("it is back", func() bool { return one.gateway.Health(t.Context()).Status == "ok" })
	require.Equal(t, []standing{unknown("jack"), unknown("anna")}, rose.subscribe("jack", "anna"), "whoever else is back may be about to tell")
	two.registry.Fail(nil)
	require.ElementsMatch(t, []standing{online("jack", "web"), offline("anna")}, []standing{rose.told(), rose.told()})
}

// A registry that loses everything and knows it again a moment later is not seen.
func TestCluster_WatchRegistryForgets(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, quickly), w.node(2, quickly)
	rose := one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	require.Equal(t, []standing{online("jack", "web")}, rose.subscribe("jack"))
	w.directory.Forget()
	w.settled(2, "rose", "jack")
	one.connect("jack", "phone")
	require.Equal(t, online("jack", "web", "phone"), rose.told())
}

func TestCluster_WatchBusStopped(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, quickly), w.node(2, quickly)
	rose := one.connect("rose", "web")
	require.Equal(t, []standing{offline("jack")}, rose.subscribe("jack"))
	w.broker.Stop()
	two.connect("jack", "web")
	require.Equal(t, online("jack", "web"), rose.told(), "everybody is looked at while doorbells may be lost")
}

func TestCluster_Online(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	one.connect("rose", "web")
	one.connect("jack", "web")
	two.connect("jack", "phone")
	two.connect("will", "web")
	w.settled(4, "rose", "jack", "will")
	for _, limit := range []int{1, 2, 10} {
		found := make(map[string]ws.Presence)
		for cursor := ""; ; {
			items, next, err := two.gateway.Online(t.Context(), cursor, limit)
			require.NoError(t, err)
			for _, item := range items {
				require.NotContains(t, found, item.OpenID, "each once")
				found[item.OpenID] = item
			}
			if cursor = next; next == "" {
				break
			}
		}
		require.Len(t, found, 3)
		require.ElementsMatch(t, []string{"web", "phone"}, found["jack"].Devices)
		require.ElementsMatch(t, []string{"n1", "n2"}, found["jack"].Nodes)
		require.Equal(t, []string{"n2"}, found["will"].Nodes)
	}
	two.registry.Fail(errors.New("connection refused"))
	_, _, err := two.gateway.Online(t.Context(), "", 10)
	require.ErrorIs(t, err, &protocol.Error{Code: protocol.Overloaded})
}

// Who does not read is told as soon as there is room again, of each user once and as it stands then.
func TestGateway_WatchSlowReader(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.QueueBytes = 1000 })
	rose := n.connect("rose", "web")
	var users []string
	for i := range 20 {
		users = append(users, fmt.Sprintf("user-%02d", i))
	}
	rose.subscribe(users...)
	for _, user := range users {
		n.connect(user, "web")
	}
	for range users {
		require.Equal(t, "online", rose.told().Status)
	}
}
