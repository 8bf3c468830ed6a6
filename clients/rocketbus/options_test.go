package rocketbus

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestOptions_Validate(t *testing.T) {
	for _, servers := range [][]string{nil, {"localhost"}, {"localhost:1", "10.0.0.1"}} {
		_, err := Open(Options{NameServers: servers})
		require.ErrorContains(t, err, "host:port")
	}
	bus, err := Open(Options{NameServers: []string{"mq.invalid:9876"}})
	require.NoError(t, err, "a name that cannot be resolved now may be later")
	require.NoError(t, bus.Close(t.Context()))
}

func TestNamesOf(t *testing.T) {
	messages, err := namesOf("10-0-0-1-8084", ws.LaneMessages)
	require.NoError(t, err)
	require.Equal(t, names{topic: "websocket10-0-0-1-8084", group: "group10-0-0-1-8084"}, messages)
	notices, err := namesOf("n_1", ws.LaneNotices)
	require.NoError(t, err)
	require.Equal(t, names{topic: "netty-ackn_1", group: "consume-ackn_1"}, notices)
	for _, bad := range []string{"", "10.0.0.1:80", "a b", "ü", string(make([]byte, 65))} {
		_, err := namesOf(bad, ws.LaneMessages)
		require.Error(t, err)
	}
}
