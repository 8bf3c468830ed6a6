package rocketbus

import (
	"strconv"
	"testing"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"
)

func TestSelector_Select(t *testing.T) {
	var queues []*primitive.MessageQueue
	for i := range 6 {
		queues = append(queues, &primitive.MessageQueue{BrokerName: "broker-" + strconv.Itoa(i%2), QueueId: i})
	}
	body := primitive.NewMessage("websocketn", nil)
	first := selector{}.Select(body, queues, "")
	for range 10 {
		require.Same(t, first, selector{}.Select(body, queues, ""), "a topic keeps to its queue")
	}
	require.NotEqual(t, first.BrokerName, selector{}.Select(body, queues, first.BrokerName).BrokerName)
	require.NotNil(t, selector{}.Select(body, queues[:1], "broker-0"), "there is no other broker")

	used := make(map[int]bool)
	for i := range 50 {
		event := primitive.NewMessage("yan-message", nil).WithShardingKey(strconv.Itoa(i))
		queue := selector{}.Select(event, queues, "")
		require.Same(t, queue, selector{}.Select(event, queues, queue.BrokerName), "a key keeps to its queue, come what may")
		used[queue.QueueId] = true
	}
	require.Len(t, used, len(queues))
}
