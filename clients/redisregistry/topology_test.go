//go:build services

package redisregistry_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/redisregistry"
	"github.com/yanlink/yanlink/deploy/deathsig"
	"github.com/yanlink/yanlink/deploy/freeport"
	"github.com/yanlink/yanlink/ws/wstest"
)

// The servers of a Redis Cluster and of Sentinel are run here: package services knows single ones.

func freePort(t *testing.T) string {
	port, err := freeport.Take()
	require.NoError(t, err)
	return strconv.Itoa(port)
}

// run runs redis-server until the test ends or kill is called, and returns when it answers.
func run(t *testing.T, port string, args ...string) (address string, kill func()) {
	address = "127.0.0.1:" + port
	cmd := exec.Command("redis-server", append(args, "--bind", "127.0.0.1", "--port", port)...)
	deathsig.Set(cmd, syscall.SIGKILL)
	require.NoError(t, cmd.Start())
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	client := redis.NewClient(&redis.Options{Addr: address})
	defer func() { _ = client.Close() }()
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, patience, 20*time.Millisecond)
	return address, kill
}

// cluster runs a Redis Cluster of three masters.
func cluster(t *testing.T) *world {
	create := []string{"--cluster", "create"}
	for range 3 {
		address, _ := run(t, freePort(t), "--dir", t.TempDir(), "--save", "", "--cluster-enabled", "yes", "--cluster-port", freePort(t))
		create = append(create, address)
	}
	addrs := create[2:]
	out, err := exec.Command("redis-cli", append(create, "--cluster-yes")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	w := newWorld(t, redisregistry.Options{Addrs: addrs})
	for _, address := range addrs {
		client := redis.NewClient(&redis.Options{Addr: address})
		defer func() { _ = client.Close() }()
		require.Eventually(t, func() bool {
			return strings.Contains(client.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
		}, patience, 20*time.Millisecond)
	}
	return w
}

func TestRegistry_Cluster(t *testing.T) {
	w := cluster(t)
	wstest.Registry(t, func(t *testing.T) wstest.Registries {
		w.Forget(t)
		return w
	})
	for name, most := range map[string]int{"one shard forgets": 1, "two shards forget": 2} {
		t.Run(name, func(t *testing.T) { shardsForget(t, w, most) })
	}
}

// shardsForget empties up to so many of the masters that have nothing but routes.
func shardsForget(t *testing.T, w *world, most int) {
	w.Forget(t)
	a := w.node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	users, routes := crowd(a, 900)
	a.holds(routes...)
	require.False(t, a.beats())

	clients := w.UniversalClient.(*redis.ClusterClient)
	var homes []string
	for _, key := range []string{serversKey, "yan_serverclients_10.0.0.1:1"} {
		home, err := clients.MasterForKey(t.Context(), key)
		require.NoError(t, err)
		homes = append(homes, home.Options().Addr)
	}
	if most == 2 {
		homes = homes[:1] // the index may be lost, too
	}
	var emptied atomic.Int64
	require.NoError(t, clients.ForEachMaster(t.Context(), func(ctx context.Context, c *redis.Client) error {
		size, err := c.DBSize(ctx).Result()
		if err != nil || size < 100 {
			return fmt.Errorf("the routes are not spread: %d at %s, %w", size, c.Options().Addr, err)
		}
		if slices.Contains(homes, c.Options().Addr) || emptied.Add(1) > int64(most) {
			return nil
		}
		return c.FlushAll(ctx).Err()
	}))
	require.Eventually(t, a.beats, patience, time.Millisecond, "nobody says that routes are lost")
	a.holds(routes...)
	a.finds(users, routes...)
}

// The master dies, Sentinel makes its replica the master: within a moment the registry is there again, with everything.
func TestRegistry_Sentinel(t *testing.T) {
	master, kill := run(t, freePort(t), "--dir", t.TempDir(), "--save", "")
	host, port, err := net.SplitHostPort(master)
	require.NoError(t, err)
	replica, _ := run(t, freePort(t), "--dir", t.TempDir(), "--save", "", "--replicaof", host+" "+port)
	watched := redis.NewClient(&redis.Options{Addr: replica})
	defer func() { _ = watched.Close() }()
	require.Eventually(t, func() bool {
		return strings.Contains(watched.Info(t.Context(), "replication").Val(), "master_link_status:up")
	}, patience, 20*time.Millisecond)
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(config, []byte("sentinel monitor yan "+host+" "+port+" 1\n"+
		"sentinel down-after-milliseconds yan 500\nsentinel failover-timeout yan 5000\n"), 0o600))
	sentinel, _ := run(t, freePort(t), config, "--sentinel")
	asked := redis.NewSentinelClient(&redis.Options{Addr: sentinel})
	defer func() { _ = asked.Close() }()
	require.Eventually(t, func() bool {
		replicas, err := asked.Replicas(t.Context(), "yan").Result()
		return err == nil && len(replicas) == 1
	}, patience, 20*time.Millisecond, "a sentinel that knows no replica has nobody to promote")

	w := newWorld(t, redisregistry.Options{Addrs: []string{sentinel}, Master: "yan"})
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	require.True(t, a.beats())
	require.True(t, b.beats())
	users, routes := crowd(a, 100)
	a.holds(routes...)

	kill()
	for _, n := range []*node{a, b} {
		require.Eventually(t, func() bool {
			_, err := n.Beat(t.Context(), n.self)
			return err == nil
		}, patience, 50*time.Millisecond)
	}
	a.holds(routes...)
	b.finds(users, routes...)
	nodes, err := b.Nodes(t.Context())
	require.NoError(t, err)
	require.Len(t, nodes, 2)
}
