package ws

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The outgoing events by their names.
const (
	eventMessageStored    = "message.stored"
	eventMessageDelivered = "message.delivered"
	eventRecipientOffline = "recipient.offline"
	eventUserOnline       = "user.online"
	eventUserOffline      = "user.offline"
)

// eventPayload is an outgoing event as other systems read it.
type eventPayload struct {
	ID    string `json:"id"` // the same whenever the same is told again
	Event string `json:"event"`
	At    Millis `json:"at"` // when it happened

	MessageID      string `json:"messageId,omitempty"`
	ConversationID string `json:"conversationId,omitempty"`
	Seq            uint64 `json:"seq,omitempty"`
	From           string `json:"from,omitempty"`
	To             string `json:"to,omitempty"` // absent in message.stored of a conversation of many
	Device         string `json:"device,omitempty"`
	MsgID          string `json:"msgid,omitempty"`
	FileType       string `json:"fileType,omitempty"`
	Message        string `json:"message,omitempty"`

	OpenID string `json:"openid,omitempty"` // of presence events
}

// event is a row of the outbox with this payload.
func (p *eventPayload) event(topic, key string) Event {
	payload, err := json.Marshal(p)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return Event{Topic: topic, Key: key, Payload: payload}
}

// eventID names what an event tells of.
func eventID(name string, parts ...string) string { return name + ":" + strings.Join(parts, ":") }

// payload is an event about a message.
func (o *outbox) payload(name string, at Millis, rec *Record) eventPayload {
	id := rec.ID().String()
	return eventPayload{
		ID: eventID(name, id), Event: name, At: at,
		MessageID: id, ConversationID: rec.Conversation.String(), Seq: rec.Seq, From: rec.Sender, MsgID: rec.MsgID,
	}
}

// describe adds what a message is.
func (o *outbox) describe(p *eventPayload, rec *Record) {
	p.FileType = strconv.Itoa(int(rec.FileType))
	if o.opt.Bodies {
		p.Message = rec.Body
	}
}

// messageStored returns what is written with a message: message.stored, and when to see who has not got it.
func (o *outbox) messageStored(s *Send) []Event {
	rec := &s.Record
	p := o.payload(eventMessageStored, rec.CreatedAt, rec)
	p.To = s.To
	o.describe(&p, rec)
	events := []Event{p.event(o.opt.Topics.Message, p.ConversationID)}
	// The members of the system conversation are everybody there ever was: who of them is away is not news.
	if o.opt.OfflineAfter > 0 && s.To != rec.Sender && s.Group != SystemConversation {
		events = append(events, o.check(rec))
	}
	return events
}

// messageDelivered returns what is written with an acknowledgement: message.delivered for each message of somebody else.
func (o *outbox) messageDelivered(ack *Ack, records []*Record) []Event {
	var events []Event
	for _, rec := range records {
		if rec.Sender == ack.User || rec.Kind != KindMessage {
			continue
		}
		p := o.payload(eventMessageDelivered, ack.At, rec)
		p.ID = eventID(eventMessageDelivered, p.MessageID, ack.Device, ack.User)
		p.To, p.Device = ack.User, ack.Device
		events = append(events, p.event(o.opt.Topics.Receipt, p.ConversationID))
	}
	return events
}

// recipientOffline is recipient.offline: user has not got a message.
func (o *outbox) recipientOffline(rec *Record, user string) Event {
	p := o.payload(eventRecipientOffline, o.g.now(), rec)
	p.ID = eventID(eventRecipientOffline, p.MessageID, user)
	p.To = user
	o.describe(&p, rec)
	return p.event(o.opt.Topics.Offline, p.ConversationID)
}

// presence is user.online or user.offline.
func (o *outbox) presence(name, user string) Event {
	now := o.g.now()
	p := eventPayload{
		ID: eventID(name, strconv.FormatInt(int64(now), 10), o.g.opt.NodeID, user), Event: name, At: now, OpenID: user,
	}
	return p.event(o.opt.Topics.Offline, user)
}
