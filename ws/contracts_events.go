package ws

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// EventSink takes outgoing events to where other systems read them. Implementations are safe for concurrent use.
type EventSink interface {
	// Send returns once the event is safely there; after an error it may be there all the same. Events of one topic and
	// key that are sent one after the other are read in that order.
	Send(ctx context.Context, topic, key string, payload []byte) error
}

// EventTopics name where the events go.
type EventTopics struct {
	Message string // message.stored
	Receipt string // message.delivered
	Offline string // recipient.offline, user.online, user.offline
}

// EventOptions are the settings of the outgoing events. A zero field takes the default named beside it.
type EventOptions struct {
	Sink         EventSink     // required
	Topics       EventTopics   // required
	Bodies       bool          // put the text of messages into their events
	OfflineAfter time.Duration // how long a recipient has to acknowledge before recipient.offline; default 10s; negative: it is never raised
	MaxAttempts  int           // after which an event is dead; default 100
	RetryAfter   time.Duration // first wait between two attempts; default 1s, doubling up to a minute
	Linger       time.Duration // how long a user without a session counts as online; default 2s
	LeaseTerm    time.Duration // how long after the end of the node that sends another one takes over; default 5s
	PollEvery    time.Duration // how often the ledger is looked at for events; default 200ms
}

func (o *EventOptions) setDefaults() {
	o.OfflineAfter = cmp.Or(o.OfflineAfter, 10*time.Second)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, 100)
	o.RetryAfter = cmp.Or(o.RetryAfter, time.Second)
	o.Linger = cmp.Or(o.Linger, 2*time.Second)
	o.LeaseTerm = cmp.Or(o.LeaseTerm, 5*time.Second)
	o.PollEvery = cmp.Or(o.PollEvery, 200*time.Millisecond)
}

func (o *EventOptions) validate() error {
	if o.Sink == nil || o.Topics.Message == "" || o.Topics.Receipt == "" || o.Topics.Offline == "" {
		return errors.New("ws: Events needs a Sink and a name for each of its Topics")
	}
	return nil
}
