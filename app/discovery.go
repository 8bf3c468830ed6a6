package app

import (
	"context"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/clients/nacos"
	"github.com/yanlink/yanlink/configs"
)

// leaveTime bounds the taking out of Nacos; it forgets by itself who is silent.
const leaveTime = 2 * time.Second

// buildAnnouncer prepares what announces the node in Nacos, where the configuration asks for it.
func (b *Bundle) buildAnnouncer() error {
	if b.cfg.Discovery.Driver != "nacos" {
		return nil
	}
	announcer, err := nacos.New(nacosServer(b.cfg.Discovery.Nacos), nacos.Instance{
		Service: b.cfg.Discovery.Nacos.Service, Address: b.advertise(), Beat: b.cfg.Discovery.Nacos.Beat,
		Metadata: map[string]string{"nodeId": b.nodeID(), "version": Version},
	}, b.log.With("component", "discovery"))
	if err != nil {
		return fmt.Errorf("discovery.nacos: %w", err)
	}
	b.announcer = announcer
	return nil
}

func nacosServer(cfg configs.Nacos) nacos.Server {
	return nacos.Server{
		Addrs: cfg.Addrs, Namespace: cfg.Namespace, Group: cfg.Group, Username: cfg.Username, Password: cfg.Password, Timeout: cfg.Timeout,
	}
}

// leaveDiscovery takes the node out, so that nobody is sent to it any more.
func (b *Bundle) leaveDiscovery(ctx context.Context) {
	if b.announcer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	if err := b.announcer.Close(ctx); err != nil {
		b.log.Warn("nacos was not told that this node leaves; it finds out by itself", "error", err)
	}
}
