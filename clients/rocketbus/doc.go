// Package rocketbus is a ws.Bus on RocketMQ, and publishes the outbox's events there.
//
// # Names
//
// A node listens to two topics of its own, one for each lane; topics.go has the names. Topics and groups that are missing
// are made when they are needed, unless Options.ManualTopics leaves that to Create.
//
// # Failures
//
// Publish only queues. Senders, a few for each lane, send what has queued for a topic as one batch. When that fails, the
// batch is lost and the topic rests for a second, in which what is published for it is dropped: who waits for it has the
// ledger. A broker that is down so costs nobody else anything; one that hangs holds up a sender for each of its topics,
// for two timeouts.
//
// A subscription does not notice that its broker was restarted before a pull that hangs is given up, up to 30 seconds
// later. Who cannot wait cancels it and subscribes again.
//
// # Goroutines
//
// A Bus waits for its own. The client library leaves some behind for each subscription that ended: sixteen which
// only sleep, five for a minute, six for an hour, five for a month, and for up to 30 seconds its pulls. Therefore no
// consumer is built before the topic's broker has answered.
package rocketbus
