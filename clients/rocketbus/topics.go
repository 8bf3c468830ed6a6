package rocketbus

import (
	"fmt"
	"regexp"

	"github.com/yanlink/yanlink/ws"
)

// Every name that Yanlink gives to something in RocketMQ. Those of a node end with its id.
const (
	messagesTopic = "websocket"   // ws.LaneMessages
	messagesGroup = "group"       //
	noticesTopic  = "netty-ack"   // ws.LaneNotices
	noticesGroup  = "consume-ack" //

	// TopicMessage, TopicReceipt and TopicOffline carry the outbox's events: stored, delivered, recipient offline.
	TopicMessage = "yan-message"
	TopicReceipt = "yan-receipt"
	TopicOffline = "yan-offline"

	// TopicDeadLetter takes bodies that a node could not digest.
	TopicDeadLetter = "yan-dead-letter"

	producerGroup = "yanlink"
)

// sharedTopics are those that belong to no node.
var sharedTopics = []string{TopicMessage, TopicReceipt, TopicOffline, TopicDeadLetter}

// nodeID is what may stand in the names of a node's topics and groups.
var nodeID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// names are what a node listens by on one lane.
type names struct {
	topic, group string
}

func namesOf(node string, lane ws.Lane) (names, error) {
	if !nodeID.MatchString(node) {
		return names{}, fmt.Errorf("rocketbus: %q cannot name a topic; a node id is 1 to 64 letters, digits, - and _", node)
	}
	switch lane {
	case ws.LaneMessages:
		return names{topic: messagesTopic + node, group: messagesGroup + node}, nil
	case ws.LaneNotices:
		return names{topic: noticesTopic + node, group: noticesGroup + node}, nil
	}
	return names{}, fmt.Errorf("rocketbus: there is no lane %d", lane)
}
