package rocketbus

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Options say where RocketMQ is and what may be used for it. Only NameServers is required.
type Options struct {
	// NameServers are host:port each. Host names are resolved whenever a connection is made.
	NameServers []string
	// AccessKey and SecretKey sign every request; empty: the cluster asks for none.
	AccessKey, SecretKey string
	// Node is the id of the node whose bus this is; it stands in the keys of its messages. Empty: "yanlink".
	Node string
	// QueueBodies and QueueBytes bound what waits to be sent on each lane; 0: 8192 and 32 MiB.
	QueueBodies, QueueBytes int
	// BatchBodies is how many bodies go to the broker in one request; 0: 64.
	BatchBodies int
	// SendTimeout bounds one attempt of a send, of which there are two; 0: 3 s.
	SendTimeout time.Duration
	// NodeQueues and EventQueues are how many queues a topic gets on each broker where it is made; 0: 1 and 4. A node's
	// topic keeps to one queue as long as its broker takes it, events to one for each key.
	NodeQueues, EventQueues int
	// ManualTopics leaves topics and groups to Create: a missing one is an error instead of being made when it is needed.
	ManualTopics bool
	// Metrics counts; nil: nobody does.
	Metrics Metrics
	// Log takes what nobody can be answered with; nil: the log is dropped. The RocketMQ client has one log for a whole
	// process: it goes to the Log of the bus that was opened last.
	Log *slog.Logger
}

// Metrics receives what a bus measures. Implementations are safe for concurrent use, quick, and never block.
type Metrics interface {
	// Sent counts bodies that a broker took.
	Sent(bodies int)
	// Lost counts bodies that were accepted by Publish and sent nowhere.
	Lost(bodies int)
	// Received counts bodies handed over to a subscriber.
	Received(bodies int)
}

func (o *Options) defaults() {
	setDefault(&o.Node, "yanlink")
	setDefault(&o.QueueBodies, 8192)
	setDefault(&o.QueueBytes, 32<<20)
	setDefault(&o.BatchBodies, 64)
	setDefault(&o.SendTimeout, 3*time.Second)
	setDefault(&o.NodeQueues, 1)
	setDefault(&o.EventQueues, 4)
	if o.Metrics == nil {
		o.Metrics = noMetrics{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *Options) validate() error {
	if len(o.NameServers) == 0 {
		return errors.New("rocketbus: no name server; name at least one as host:port")
	}
	for _, addr := range o.NameServers {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("rocketbus: name server: %w; write it as host:port", err)
		}
	}
	return nil
}

type noMetrics struct{}

func (noMetrics) Sent(int)     {}
func (noMetrics) Lost(int)     {}
func (noMetrics) Received(int) {}
