//go:build services

package services

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const sendMessage = 10

// send is what a producer does with a message for a topic that is not there yet, once it has the template's route.
func send(ctx context.Context, broker Instance, topic, body string) error {
	request, err := encode(header{Code: sendMessage, Fields: map[string]string{
		"producerGroup": "test", "topic": topic, "defaultTopic": templateTopic, "defaultTopicQueueNums": "4",
		"queueId": "0", "sysFlag": "0", "flag": "0", "bornTimestamp": "1", "reconsumeTimes": "0", "properties": "",
	}}, []byte(body))
	if err != nil {
		return err
	}
	_, err = exchange(ctx, broker.Addr, request)
	return err
}

// Ready means that a producer can send at once, also after a kill; and that the broker is not ready while its name
// server is away.
func TestServer_BrokerTakesMessages(t *testing.T) {
	t.Parallel()
	names := MustStart(t, Spec{Kind: Namesrv})
	a := MustStart(t, Spec{Kind: Broker, Namesrv: names.Addr})
	require.NoError(t, send(t.Context(), a.Instance, "topic-a", "one"))
	b := MustStart(t, Spec{Kind: Broker, Namesrv: names.Addr, Name: "broker-b"})
	require.NoError(t, send(t.Context(), b.Instance, "topic-b", "two"))

	require.NoError(t, a.Kill())
	require.Error(t, send(t.Context(), a.Instance, "topic-a", "three"))
	require.NoError(t, b.Ready(t.Context()), "the other group goes on")
	require.NoError(t, a.Restart(t.Context()))
	require.NoError(t, send(t.Context(), a.Instance, "topic-a", "three"))

	require.NoError(t, names.Freeze())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorContains(t, a.Ready(ctx), "ask its name server")
}

func TestStart_BrokerNeedsNameServer(t *testing.T) {
	_, err := Start(t.Context(), Spec{Kind: Broker, Dir: t.TempDir()})
	require.ErrorContains(t, err, "set Spec.Namesrv")
}
