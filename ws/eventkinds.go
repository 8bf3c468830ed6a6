package ws

// EventInfo describes one kind of outgoing event.
type EventInfo struct {
	Name   string
	Topic  string
	Key    string   // what the key names; events of one key keep their order
	Raised string   // when
	Fields []string // of its JSON; those that do not apply are absent
}

// OutgoingEvents returns every kind of outgoing event, with the topic that it goes to.
func OutgoingEvents(topics EventTopics) []EventInfo {
	const conversation, user = "the conversation", "the user"
	all := func(more ...string) []string { return append([]string{"id", "event", "at"}, more...) }
	ofMessage := func(more ...string) []string {
		return all(append([]string{"messageId", "conversationId", "seq", "from", "to", "msgid"}, more...)...)
	}
	return []EventInfo{
		{
			eventMessageStored, topics.Message, conversation,
			"in the commit of the message", ofMessage("fileType", "message"),
		},
		{
			eventMessageDelivered, topics.Receipt, conversation,
			"in the commit of an acknowledgement: once for each device that acknowledges somebody else's message", ofMessage("device"),
		},
		{
			eventRecipientOffline, topics.Offline, conversation,
			"`events.offlineAfter` after a message, for each recipient who has neither acknowledged it nor marked it read", ofMessage("fileType", "message"),
		},
		{
			eventUserOnline, topics.Offline, user,
			"when the first session of a user anywhere begins", all("openid"),
		},
		{
			eventUserOffline, topics.Offline, user,
			"when a user has had no session anywhere for `events.linger`, or when the node of the last one counts as dead", all("openid"),
		},
	}
}
