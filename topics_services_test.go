//go:build services

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/redisregistry"
	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

func TestTopics(t *testing.T) {
	names := services.MustStart(t, services.Spec{Kind: services.Namesrv})
	broker := services.MustStart(t, services.Spec{Kind: services.Broker, Namesrv: names.Addr})
	redis := services.MustStart(t, services.Spec{Kind: services.Redis})
	config := filepath.Join(t.TempDir(), "node.yaml")
	require.NoError(t, os.WriteFile(config, []byte(`
node: {id: one}
store: {driver: mysql, dsn: "nobody@tcp(127.0.0.1:1)/none"}
registry: {driver: redis, redis: {addrs: ["`+redis.Addr+`"]}}
bus: {driver: rocketmq, rocketmq: {nameservers: ["`+names.Addr+`"], createTopics: false}}
`), 0o600))
	says := func(code int, want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		require.Equal(t, code, run(args, &out, &out), out.String())
		require.Equal(t, want, out.String())
	}

	says(0, "one: its topics are there\n", "topics", "create", "-config", config)
	says(0, "two: its topics are there\nthree: its topics are there\n", "-config", config, "topics", "create", "two", "three")
	bus, err := rocketbus.Open(rocketbus.Options{NameServers: []string{names.Addr}, ManualTopics: true})
	require.NoError(t, err)
	require.NoError(t, bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")), "the topics of events are there too")
	require.NoError(t, bus.Close(t.Context()))

	says(1, "yanlink: the registry knows no living node; start the cluster, or name the nodes whose topics stay\n",
		"topics", "prune", "--yes", "-config", config)
	registry, err := redisregistry.New(redisregistry.Options{Address: "127.0.0.1:1001", Addrs: []string{redis.Addr}})
	require.NoError(t, err)
	defer func() { require.NoError(t, registry.Close()) }()
	_, err = registry.Beat(t.Context(), ws.Node{ID: "one", Address: "127.0.0.1:1001", Incarnation: 1})
	require.NoError(t, err)
	for range 2 {
		says(0, "three: is gone; -yes deletes its topics\n", "topics", "prune", "-config", config, "two")
	}
	says(0, "three: its topics were deleted\n", "topics", "prune", "-config", config, "--yes", "two")
	says(0, "two: is gone; -yes deletes its topics\n", "topics", "prune", "-config", config)
	says(0, "no node is gone\n", "topics", "prune", "-config", config, "two")

	for _, server := range []*services.Server{broker, names, redis} {
		require.NoError(t, server.Kill())
	}
	for verb, want := range map[string]string{"create": "no name server answers", "prune": "registry.redis: redis at " + redis.Addr} {
		out, err := program(t, nil, "topics", verb, "-config", config).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), want)
		require.Equal(t, 1, strings.Count(string(out), "\n"), string(out))
	}
}
