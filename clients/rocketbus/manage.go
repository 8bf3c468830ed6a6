package rocketbus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

var lanes = []ws.Lane{ws.LaneMessages, ws.LaneNotices}

// Create makes the topics and groups of nodes, and the topics that belong to no node, on all brokers that answer. What
// is there already stays, but for the number of its queues. It is for brokers and accounts that leave nothing to be made
// when it is needed.
func Create(ctx context.Context, opt Options, nodes []string) error {
	if err := opt.validate(); err != nil {
		return err
	}
	opt.defaults()
	admin := newAdmin(opt)
	for _, topic := range sharedTopics {
		if err := admin.createTopic(ctx, topic, opt.EventQueues); err != nil {
			return fmt.Errorf("rocketbus: %w", err)
		}
	}
	for _, node := range nodes {
		for _, lane := range lanes {
			names, err := namesOf(node, lane)
			if err != nil {
				return err
			}
			if err := admin.createNode(ctx, names, opt.NodeQueues); err != nil {
				return fmt.Errorf("rocketbus: %w", err)
			}
		}
	}
	return nil
}

// createNode makes what a node listens by on one lane.
func (a *admin) createNode(ctx context.Context, names names, queues int) error {
	if err := a.createGroup(ctx, names.group); err != nil {
		return err
	}
	return a.createTopic(ctx, names.topic, queues)
}

// Gone returns the nodes that have topics and are not among live.
func Gone(ctx context.Context, opt Options, live []string) (gone []string, err error) {
	if err := opt.validate(); err != nil {
		return nil, err
	}
	opt.defaults()
	topics, err := newAdmin(opt).topics(ctx)
	if err != nil {
		return nil, fmt.Errorf("rocketbus: %w", err)
	}
	return slices.DeleteFunc(nodesOf(topics), func(node string) bool { return slices.Contains(live, node) }), nil
}

// Prune deletes the topics and groups of all nodes that are not among live, and returns whose these were. None of them
// should be a node that has only just not come back: its topics are made again when it subscribes, and until then what
// is published for it is lost.
func Prune(ctx context.Context, opt Options, live []string) (gone []string, err error) {
	fallen, err := Gone(ctx, opt, live)
	if err != nil {
		return nil, err
	}
	admin := newAdmin(opt)
	for _, node := range fallen {
		if err := admin.deleteNode(ctx, node); err != nil {
			return gone, fmt.Errorf("rocketbus: %w", err)
		}
		gone = append(gone, node)
	}
	return gone, nil
}

// nodesOf returns whose topics these are. A node is known by its topic of notices, which nobody else names theirs like,
// and which is the last one that is deleted.
func nodesOf(topics []string) (nodes []string) {
	for _, topic := range topics {
		if node, ok := strings.CutPrefix(topic, noticesTopic); ok && nodeID.MatchString(node) {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

func (a *admin) deleteNode(ctx context.Context, node string) error {
	brokers, err := a.brokers(ctx)
	if err != nil {
		return err
	}
	for _, lane := range lanes {
		names, err := namesOf(node, lane)
		if err != nil {
			return err
		}
		if err := a.delete(ctx, brokers, names); err != nil {
			return err
		}
	}
	return nil
}

// delete deletes a group, the topics that brokers made for it, and a topic: from the brokers, and then from the name
// servers, which would else name it for minutes.
func (a *admin) delete(ctx context.Context, brokers []string, names names) error {
	_, err := a.askBrokers(ctx, brokers, request{code: askDeleteGroup, fields: map[string]string{"groupName": names.group}})
	if err != nil {
		return fmt.Errorf("delete group %s: %w", names.group, err)
	}
	for _, topic := range []string{"%RETRY%" + names.group, "%DLQ%" + names.group, names.topic} {
		fields := map[string]string{"topic": topic}
		if _, err := a.askBrokers(ctx, brokers, request{code: askDeleteTopic, fields: fields}); err != nil {
			return fmt.Errorf("delete topic %s: %w", topic, err)
		}
		if _, err := a.askBrokers(ctx, a.nameServers, request{code: askDeleteRoute, fields: fields}); err != nil {
			return fmt.Errorf("delete the route of topic %s: %w", topic, err)
		}
	}
	return nil
}
