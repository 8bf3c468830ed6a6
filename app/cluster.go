package app

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9/logging"

	"github.com/yanlink/yanlink/clients/redisregistry"
	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/clients/sso"
)

const (
	// beatsPerTTL is how many signs of life a node gives in registry.nodeTTL.
	beatsPerTTL = 3
	// busCloseTime bounds the sending of what still waits when the bundle stops; what is left, others find in the ledger.
	busCloseTime = 2 * time.Second
)

// joinCluster opens the registry and the bus, where the configuration asks for a cluster. Neither has to answer now: the
// node serves, degraded, and joins when they do.
func (b *Bundle) joinCluster() error {
	if b.cfg.Registry.Driver == "memory" {
		b.tickets = sso.NewTickets(sso.NewTicketMemory(b.opt.clock), b.cfg.SSO.TicketTTL)
		return nil
	}
	if err := b.openRegistry(); err != nil {
		return err
	}
	bus, err := b.rocketMQ()
	if err != nil {
		return err
	}
	b.bus = bus
	return nil
}

func (b *Bundle) openRegistry() error {
	if b.opt.standalone {
		logging.Disable() // the client writes of each failed dial to the standard error; the engine says what comes of it
	}
	cfg := b.cfg.Registry
	registry, err := redisregistry.New(redisregistry.Options{
		Address: b.advertise(), NodeTTL: cfg.NodeTTL, Timeout: cfg.Timeout, Client: b.opt.redis,
		Addrs: cfg.Redis.Addrs, Username: cfg.Redis.Username, Password: cfg.Redis.Password, Master: cfg.Redis.Master, DB: cfg.Redis.DB,
	})
	if err != nil {
		return fmt.Errorf("registry.redis: %w", err)
	}
	b.registry, b.tokens, b.tickets = registry, registry.Tokens(), sso.NewTickets(registry.Tickets(), b.cfg.SSO.TicketTTL)
	b.onStop("close the registry", registry.Close)
	return nil
}

// rocketMQ returns the connection to RocketMQ. It is opened once: what carries messages carries events too.
func (b *Bundle) rocketMQ() (*rocketbus.Bus, error) {
	if b.rocket != nil {
		return b.rocket, nil
	}
	bus, err := rocketbus.Open(b.busOptions())
	if err != nil {
		return nil, fmt.Errorf("bus.rocketmq: %w", err)
	}
	b.rocket = bus
	b.onStop("close the bus", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), busCloseTime)
		defer cancel()
		return bus.Close(ctx)
	})
	return bus, nil
}

func (b *Bundle) busOptions() rocketbus.Options {
	cfg := b.cfg.Bus.RocketMQ
	return rocketbus.Options{
		NameServers: cfg.NameServers, AccessKey: cfg.AccessKey, SecretKey: cfg.SecretKey, Node: b.nodeID(),
		QueueBodies: cfg.QueueBodies, SendTimeout: cfg.SendTimeout, ManualTopics: !cfg.CreateTopics,
		Metrics: busMetrics{b.metrics}, Log: b.log.With("component", "bus"),
	}
}

// busMetrics counts what the bus took and could not send. The engine counts the rest.
type busMetrics struct{ *metrics }

var _ rocketbus.Metrics = busMetrics{}

// Sent implements rocketbus.Metrics.
func (busMetrics) Sent(int) {}

// Lost implements rocketbus.Metrics.
func (m busMetrics) Lost(bodies int) { m.Doorbell("lost", bodies) }

// Received implements rocketbus.Metrics.
func (busMetrics) Received(int) {}
