//go:build services

package redisregistry_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/redisregistry"
	"github.com/yanlink/yanlink/ws"
)

// among tells which sessions are those of routes.
func among(routes []ws.Route) func(session string) bool {
	return func(session string) bool {
		return slices.ContainsFunc(routes, func(r ws.Route) bool { return r.SessionID == session })
	}
}

// crowd is n routes of a node, of a user each.
func crowd(n *node, size int) (users []string, routes []ws.Route) {
	for i := range size {
		users = append(users, fmt.Sprintf("user_%d", i))
		routes = append(routes, n.route(users[i], 1))
	}
	return users, routes
}

func TestRegistry_ServerKilled(t *testing.T) {
	w, server := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	a.beats()
	b.beats()
	users, routes := crowd(a, 500)
	a.holds(routes...)

	require.NoError(t, server.Kill())
	_, err := b.Locate(t.Context(), users)
	require.ErrorContains(t, err, "redis at "+server.Addr+": look for 500 users: ")
	_, err = a.Beat(t.Context(), a.self)
	require.ErrorContains(t, err, "say that node a lives: ")

	require.NoError(t, server.Restart(t.Context()))
	b.finds(users)
	require.True(t, a.beats(), "nothing is known any more")
	require.True(t, b.beats())
	a.holds(routes...)
	b.finds(users, routes...)
	require.False(t, a.beats())
}

// A frozen server takes connections and answers nothing: a call ends with its context, or by the registry's own timeout.
func TestRegistry_ServerFrozen(t *testing.T) {
	w, server := ownServer(t)
	w.opt.Timeout = 100 * time.Millisecond
	a := w.node(t, "a", "10.0.0.1:1", 1)
	require.Eventually(t, func() bool { // a busy machine may not keep so short a time at once
		_, err := a.Beat(t.Context(), a.self)
		return err == nil
	}, patience, 10*time.Millisecond)
	route := a.route("bob", 1)

	require.NoError(t, server.Freeze())
	_, err := a.Put(t.Context(), []ws.Route{route})
	require.ErrorContains(t, err, "redis at "+server.Addr+": record 1 routes: ")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = a.Locate(ctx, []string{"bob"})
	require.Error(t, err)
	_, err = a.Nodes(t.Context())
	require.Error(t, err)

	require.NoError(t, server.Thaw())
	require.Eventually(t, func() bool {
		_, err := a.Put(t.Context(), []ws.Route{route})
		return err == nil
	}, patience, 10*time.Millisecond)
}

// Two nodes put and remove while everything is lost again and again; once they have beaten and put anew, all is there.
func TestRegistry_FlushedUnderLoad(t *testing.T) {
	w, _ := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	users, routes := crowd(a, 300)
	var newer []ws.Route
	for _, user := range users[:100] {
		newer = append(newer, b.route(user, 2))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for n, own := range map[*node][]ws.Route{a: routes, b: newer} {
		load.Go(func() {
			for ctx.Err() == nil {
				_, _ = n.Beat(ctx, n.self)
				_, _ = n.Put(ctx, own)
				_ = n.Remove(ctx, own[:50])
				_, _ = n.Reap(ctx)
			}
		})
	}
	for range 20 {
		w.Forget(t)
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	load.Wait()

	w.Forget(t)
	for n, own := range map[*node][]ws.Route{a: routes, b: newer} {
		require.True(t, n.beats())
		_, err := n.Put(t.Context(), own)
		require.NoError(t, err)
	}
	a.finds(users, append(routes[100:], newer...)...)
	require.Empty(t, a.reaps())
	require.Empty(t, b.reaps())
	a.finds(users, append(routes[100:], newer...)...)
}

// What stands in a node's index without a route is told of once, and is gone from it then.
func TestRegistry_BareInIndex(t *testing.T) {
	w, _ := ownServer(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	_, routes := crowd(a, 3)
	a.holds(routes...)
	require.False(t, a.beats())
	bare := a.self.Address + "_somebody_20260101000000"
	require.NoError(t, w.SAdd(t.Context(), "yan_serverclients_"+a.self.Address, bare).Err())
	require.False(t, a.beats(), "it may be on its way")
	require.True(t, a.beats())
	gone, err := a.Prune(t.Context(), a.self, among(routes))
	require.NoError(t, err)
	require.Equal(t, []ws.Route{{User: "somebody", SessionID: bare, Node: "a"}}, gone)
	for range 3 {
		require.False(t, a.beats())
	}
	a.holds(routes...)
}

// A copy of the registry from before knows the node, but not what came after.
func TestRegistry_OlderCopyRestored(t *testing.T) {
	w, _ := ownServer(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	copied, err := w.HGet(t.Context(), serversKey, a.self.Address).Result()
	require.NoError(t, err)
	require.Eventually(t, func() bool { // beats in one millisecond look the same
		require.False(t, a.beats())
		now, err := w.HGet(t.Context(), serversKey, a.self.Address).Result()
		require.NoError(t, err)
		return now != copied
	}, patience, time.Millisecond)

	users, routes := crowd(a, 10)
	a.holds(routes...)
	require.NoError(t, w.HSet(t.Context(), serversKey, a.self.Address, copied).Err())
	require.True(t, a.beats())
	require.False(t, a.beats())
	a.holds(routes[:5]...) // the others are over
	require.Empty(t, a.reaps(), "a life that goes on is not reaped")
	gone, err := a.Prune(t.Context(), a.self, among(routes[:5]))
	require.NoError(t, err)
	require.Len(t, gone, 5)
	a.finds(users, routes[:5]...)
}

// A shard of a Redis Cluster may lose what it had while the nodes are known to another.
func TestRegistry_RoutesLost(t *testing.T) {
	w, _ := ownServer(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	users, routes := crowd(a, 1000)
	a.holds(routes...)
	a.self.Connections = len(routes)
	for range 12 {
		require.False(t, a.beats(), "nothing is lost")
	}

	for i, user := range users {
		if i%10 > 2 {
			require.NoError(t, w.Del(t.Context(), "yan_client_"+user).Err())
		}
	}
	require.True(t, a.beats())
	a.holds(routes...)
	require.False(t, a.beats())

	require.NoError(t, w.Del(t.Context(), "yan_serverclients_"+a.self.Address).Err())
	require.Eventually(t, a.beats, patience, time.Millisecond, "the way around the index begins anew before it shows")
	a.holds(routes...)
	require.Len(t, w.indexOf(t, a), len(routes))
}

// A beat that joined and whose answer was lost is made up for by the next one.
func TestRegistry_BeatUnanswered(t *testing.T) {
	w, _ := ownServer(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	require.True(t, a.beats())
	time.Sleep(2 * time.Millisecond) // the server counts in milliseconds
	w.Forget(t)
	joined, err := w.open(t, a.self).Beat(t.Context(), a.self) // as a's own, and nobody hears the answer
	require.NoError(t, err)
	require.True(t, joined)
	require.True(t, a.beats())
	require.False(t, a.beats())
}

func TestRegistry_ScriptsForgotten(t *testing.T) {
	w, _ := ownServer(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	users, routes := crowd(a, 1500)
	for range 2 {
		require.NoError(t, w.ScriptFlush(t.Context()).Err())
		a.holds(routes...)
		a.finds(users, routes...)
		require.NoError(t, w.ScriptFlush(t.Context()).Err())
		require.NoError(t, a.Remove(t.Context(), routes))
		a.finds(users)
		require.Empty(t, w.indexOf(t, a))
	}
}

// Values that nobody here wrote are passed over, and give way.
func TestRegistry_ForeignValues(t *testing.T) {
	w, _ := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	a.beats()
	route := a.route("bob", 1)
	for _, foreign := range []string{"", "garbage", "null", "[]", "7", `{"node":7}`, `{"epoch":"9"}`, `{"device":"web","epoch":9}`} {
		require.NoError(t, w.HSet(t.Context(), serversKey, "foreign", foreign).Err())
		require.NoError(t, w.HSet(t.Context(), "yan_client_bob", "foreign", foreign, route.SessionID, foreign).Err())
		require.NoError(t, w.SAdd(t.Context(), "yan_serverclients_"+a.self.Address, "foreign", "10.0.0.1:1_", "").Err())
		a.finds([]string{"bob"})
		a.holds(route)
		a.finds([]string{"bob"}, route)
		require.Empty(t, a.reaps())
		require.False(t, a.beats())
		nodes, err := a.Nodes(t.Context())
		require.NoError(t, err)
		require.Len(t, nodes, 1)

		w.Silence(t, a.self.Address)
		require.Equal(t, []ws.Route{route}, b.reaps())
		require.Empty(t, w.indexOf(t, a))
		require.True(t, a.beats())
	}
}

func TestRegistry_Lifetimes(t *testing.T) {
	w, _ := ownServer(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	users, routes := crowd(a, 500)
	a.holds(routes...)
	keys := []string{serversKey, "yan_serverclients_" + a.self.Address}
	for _, user := range users {
		keys = append(keys, "yan_client_"+user)
	}
	last := func() (shortest time.Duration) {
		shortest = time.Duration(1<<63 - 1)
		for _, key := range keys {
			left, err := w.PTTL(t.Context(), key).Result()
			require.NoError(t, err)
			shortest = min(shortest, left)
		}
		return shortest
	}
	a.beats()
	require.Greater(t, last(), 23*time.Hour)
	for _, key := range keys {
		require.NoError(t, w.Expire(t.Context(), key, time.Hour).Err())
	}
	require.Eventually(t, func() bool {
		a.beats()
		return last() > 23*time.Hour
	}, patience, time.Millisecond, "beats come around all routes")
}

func TestNew_Client(t *testing.T) {
	w, server := ownServer(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	w.opt = redisregistry.Options{Client: client}
	a := w.node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	require.NoError(t, a.Close())
	_, err := a.Beat(t.Context(), a.self)
	require.ErrorContains(t, err, "closed")
	require.NoError(t, client.Ping(t.Context()).Err(), "it is not ours to close")

	w.opt.Client = redis.NewClient(&redis.Options{Addr: server.Addr})
	defer func() { _ = w.opt.Client.Close() }()
	w.opt.Address = a.self.Address
	_, err = redisregistry.New(w.opt)
	require.ErrorContains(t, err, "ContextTimeoutEnabled")
}

func TestNew_Password(t *testing.T) {
	w, server := ownServer(t)
	require.NoError(t, w.ConfigSet(t.Context(), "requirepass", "correct").Err())
	w.opt.Password = "battery-staple"
	a := w.node(t, "a", "10.0.0.1:1", 1)
	_, err := a.Beat(t.Context(), a.self)
	require.ErrorContains(t, err, server.Addr)
	require.NotContains(t, err.Error(), w.opt.Password)

	w.opt.Password = "correct"
	require.True(t, w.node(t, "a", "10.0.0.1:1", 1).beats())
}
