package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
)

// CreateTopics makes the topics and groups that nodes listen by, and the topics that belong to no node, and returns for
// which nodes it did so: without nodes, for the one that cfg is of, which needs none of its own if it is alone and only sends
// events. What is there already stays.
func CreateTopics(ctx context.Context, cfg *configs.Config, nodes ...string) ([]string, error) {
	listens := cfg.Bus.Driver == "rocketmq"
	b, err := toolFor(cfg, listens || cfg.Events.Enabled)
	if err != nil {
		return nil, err
	}
	listening := nodes
	if len(nodes) == 0 {
		nodes = []string{b.nodeID()}
		if listens {
			listening = nodes
		}
	}
	if err := rocketbus.Create(ctx, b.busOptions(), listening); err != nil {
		return nil, err
	}
	return nodes, nil
}

// GoneNodes returns the nodes that have topics and are neither in the registry nor among keep.
func GoneNodes(ctx context.Context, cfg *configs.Config, keep ...string) ([]string, error) {
	return withoutLiving(ctx, cfg, keep, rocketbus.Gone)
}

// PruneTopics deletes the topics and groups of the nodes that GoneNodes returns, and says whose these were.
func PruneTopics(ctx context.Context, cfg *configs.Config, keep ...string) ([]string, error) {
	return withoutLiving(ctx, cfg, keep, rocketbus.Prune)
}

// withoutLiving does something about nodes that do not live. Where nobody does, it refuses unless somebody is named: the
// registry may be another cluster's, or have been flushed a moment ago.
func withoutLiving(
	ctx context.Context, cfg *configs.Config, keep []string,
	do func(context.Context, rocketbus.Options, []string) ([]string, error),
) ([]string, error) {
	b, err := toolFor(cfg, cfg.Bus.Driver == "rocketmq")
	if err != nil {
		return nil, err
	}
	living, err := b.livingNodes(ctx)
	if err != nil {
		return nil, err
	}
	if len(living)+len(keep) == 0 {
		return nil, errors.New("the registry knows no living node; start the cluster, or name the nodes whose topics stay")
	}
	for _, node := range living {
		keep = append(keep, node.ID)
	}
	return do(ctx, b.busOptions(), keep)
}

func (b *Bundle) livingNodes(ctx context.Context) ([]ws.Node, error) {
	if err := b.openRegistry(); err != nil {
		return nil, err
	}
	nodes, err := b.registry.Nodes(ctx)
	if err != nil {
		err = fmt.Errorf("registry.redis: %w", err)
	}
	return nodes, errors.Join(err, b.cleanUp())
}

// toolFor returns a Bundle that is asked for its settings, and never built, where the configuration has topics.
func toolFor(cfg *configs.Config, has bool) (*Bundle, error) {
	if !has {
		return nil, fmt.Errorf("bus.driver: %s has no topics; name the configuration of a cluster's node, with rocketmq; to create those of events, of one with events.enabled",
			cfg.Bus.Driver)
	}
	b := &Bundle{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	asServer("")(&b.opt)
	return b, nil
}
