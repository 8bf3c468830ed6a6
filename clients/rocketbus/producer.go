package rocketbus

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// maxBody is the most that a broker takes in one request by default, less room for what goes with it.
const maxBody = 4<<20 - 64<<10

// newProducer builds the producer of a process. Nothing is connected to before the first send.
func newProducer(opt Options, instance string) (sender, error) {
	p, err := producer.NewDefaultProducer(
		producer.WithGroupName(producerGroup),
		producer.WithInstanceName(instance),
		producer.WithNsResolver(resolver(opt.NameServers)),
		producer.WithCredentials(opt.credentials()),
		producer.WithQueueSelector(selector{}),
		producer.WithSendMsgTimeout(opt.SendTimeout),
		producer.WithRetry(1),
		producer.WithCompressMsgBodyOverHowmuch(maxBody+1), // batches are not compressed either
	)
	if err != nil {
		return nil, fmt.Errorf("rocketbus: %w", err)
	}
	if err := p.Start(); err != nil {
		return nil, fmt.Errorf("rocketbus: start the producer: %w", err)
	}
	return p, nil
}

func (o *Options) credentials() primitive.Credentials {
	return primitive.Credentials{AccessKey: o.AccessKey, SecretKey: o.SecretKey}
}

// resolver gives the name servers to the client as they were written. With the prefix the client takes host names, which
// are then resolved for each connection: a name server that has moved is found, and nothing waits for DNS before that.
type resolver []string

var _ primitive.NsResolver = resolver(nil)

// Resolve implements primitive.NsResolver.
func (r resolver) Resolve() []string {
	addrs := make([]string, len(r))
	for i, addr := range r {
		addrs[i] = "http://" + addr
	}
	return addrs
}

// Description implements primitive.NsResolver.
func (r resolver) Description() string { return "the name servers " + strings.Join(r, ", ") }

// selector picks the queue. What has a sharding key always goes to the same one, for the sake of order. The rest of a
// topic keeps to one as well, as long as its broker takes it.
type selector struct{}

var _ producer.QueueSelector = selector{}

// Select implements producer.QueueSelector. failed names the broker that has just failed, if one has.
func (selector) Select(msg *primitive.Message, queues []*primitive.MessageQueue, failed string) *primitive.MessageQueue {
	key := msg.GetShardingKey()
	if key != "" {
		return queues[hash(key)%uint32(len(queues))] //nolint:gosec // few
	}
	first := hash(msg.Topic)
	for i := range queues {
		queue := queues[(first+uint32(i))%uint32(len(queues))] //nolint:gosec // few
		if queue.BrokerName != failed {
			return queue
		}
	}
	return queues[first%uint32(len(queues))] //nolint:gosec // few
}

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}
