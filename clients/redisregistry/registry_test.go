//go:build services

package redisregistry_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/redisregistry"
	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// patience bounds what a test waits for; nothing is asserted of how long it took.
const patience = 20 * time.Second

const serversKey = "yan_websocket_server"

// world is a Redis of the test's own, and a client to look into it.
type world struct {
	opt redisregistry.Options
	redis.UniversalClient
}

func newWorld(t testing.TB, opt redisregistry.Options) *world {
	opt.Timeout = patience
	w := &world{opt: opt, UniversalClient: redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: opt.Addrs, MasterName: opt.Master, MaxRetries: 20,
	})}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// Open implements wstest.Registries.
func (w *world) Open(t *testing.T, node ws.Node) ws.Registry { return w.open(t, node) }

func (w *world) open(t testing.TB, node ws.Node) *redisregistry.Registry {
	opt := w.opt
	opt.Address = node.Address
	if opt.NodeTTL == 0 {
		opt.NodeTTL = time.Hour
	}
	r, err := redisregistry.New(opt)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Silence implements wstest.Registries.
func (w *world) Silence(t *testing.T, address string) {
	value, err := w.HGet(t.Context(), serversKey, address).Bytes()
	require.NoError(t, err)
	var entry map[string]any
	require.NoError(t, json.Unmarshal(value, &entry))
	entry["beat"] = 1
	value, err = json.Marshal(entry)
	require.NoError(t, err)
	require.NoError(t, w.HSet(t.Context(), serversKey, address, value).Err())
}

// Forget implements wstest.Registries.
func (w *world) Forget(t *testing.T) {
	flush := func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() }
	if cluster, ok := w.UniversalClient.(*redis.ClusterClient); ok {
		require.NoError(t, cluster.ForEachMaster(t.Context(), flush))
		return
	}
	require.NoError(t, w.FlushAll(t.Context()).Err())
}

// ownServer is a world on a server that may be killed and frozen.
func ownServer(t testing.TB) (*world, *services.Server) {
	server := services.MustStart(t, services.Spec{Kind: services.Redis})
	return newWorld(t, redisregistry.Options{Addrs: []string{server.Addr}}), server
}

func TestRegistry(t *testing.T) {
	w, _ := ownServer(t)
	wstest.Registry(t, func(t *testing.T) wstest.Registries {
		w.Forget(t)
		return w
	})
}

// node is a node of the cluster with its access to the registry.
type node struct {
	*redisregistry.Registry
	t    testing.TB
	self ws.Node
}

func (w *world) node(t testing.TB, id, address string, incarnation uint64) *node {
	n := ws.Node{ID: id, Address: address, Incarnation: incarnation}
	return &node{Registry: w.open(t, n), t: t, self: n}
}

func (n *node) beats() (joined bool) {
	n.t.Helper()
	joined, err := n.Beat(n.t.Context(), n.self)
	require.NoError(n.t, err)
	return joined
}

func (n *node) route(user string, epoch uint64) ws.Route {
	return ws.Route{
		User: user, Device: "web", SessionID: n.self.Address + "_" + user + "_20260102030405",
		Node: n.self.ID, Incarnation: n.self.Incarnation, Epoch: epoch, Since: 1_767_322_800_000,
	}
}

func (n *node) holds(routes ...ws.Route) {
	n.t.Helper()
	displaced, err := n.Put(n.t.Context(), routes)
	require.NoError(n.t, err)
	require.Empty(n.t, displaced)
}

func (n *node) reaps() []ws.Route {
	n.t.Helper()
	gone, err := n.Reap(n.t.Context())
	require.NoError(n.t, err)
	return gone
}

func (n *node) finds(users []string, want ...ws.Route) {
	n.t.Helper()
	routes, err := n.Locate(n.t.Context(), users)
	require.NoError(n.t, err)
	require.ElementsMatch(n.t, want, routes)
}

func (w *world) indexOf(t testing.TB, n *node) []string {
	t.Helper()
	sessions, err := w.SMembers(t.Context(), "yan_serverclients_"+n.self.Address).Result()
	require.NoError(t, err)
	return sessions
}
