package app

import (
	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/ws"
)

// eventOptions returns what the engine tells other systems, and how; nil: nothing.
func (b *Bundle) eventOptions() *ws.EventOptions {
	if b.events == nil {
		return nil
	}
	cfg := b.cfg.Events
	return &ws.EventOptions{
		Sink:   b.events,
		Topics: ws.EventTopics{Message: rocketbus.TopicMessage, Receipt: rocketbus.TopicReceipt, Offline: rocketbus.TopicOffline},
		Bodies: cfg.Bodies, OfflineAfter: orNone(cfg.OfflineAfter), Linger: cfg.Linger,
		MaxAttempts: cfg.MaxAttempts, RetryAfter: cfg.RetryAfter,
	}
}

// openEvents finds out where events go: to the host, or to RocketMQ, which a node that is alone has for this only.
func (b *Bundle) openEvents() error {
	switch {
	case b.opt.eventSink != nil:
		b.events = b.opt.eventSink
	case !b.cfg.Events.Enabled:
	default:
		bus, err := b.rocketMQ()
		if err != nil {
			return err
		}
		b.events = bus
	}
	return nil
}
