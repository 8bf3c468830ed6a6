package protocol

import "strconv"

// Layout is what a frame looks like on the wire, and who sends it.
type Layout uint8

// The layouts.
const (
	FromClient Layout = iota // a request
	Reply                    // of the server, with params at its top
	Envelope                 // of the server, around a record or a notice
)

// FrameInfo describes a frame. A type that both sides send has one for each.
type FrameInfo struct {
	Type   Type
	Name   string
	Layout Layout
	Fields []string // below params, by their names on the wire
}

// Wire is the frame's type as it stands in JSON.
func (i *FrameInfo) Wire() string {
	switch {
	case i.Type != TypePing:
		return strconv.Itoa(int(i.Type))
	case i.Layout == FromClient:
		return `"20"`
	default:
		return `"pong"`
	}
}

// positioned are the fields of every record.
var positioned = []string{"conversationId", "seq", "prevSeq", "redelivered"}

// Frames returns every frame that this version speaks, in the order of their numbers.
func Frames() []FrameInfo {
	return []FrameInfo{
		{TypeAccepted, "accepted", Reply, []string{"date", "message", "at", "msgid", "messageId", "conversationId", "seq", "duplicate"}},
		{TypeSend, "send direct", FromClient, []string{"toMessageId", "message", "fileType", "msgid", "isretry"}},
		{TypeMessage, "message", Envelope, append([]string{"toUser", "fromUser", "message", "fileType", "msgid"}, positioned...)},
		{TypeRegister, "register, of old clients", FromClient, []string{"openid", "userName", "loginStatus"}},
		{TypeRegister, "registered", Reply, nil},
		{TypeHeartbeat, "heartbeat", FromClient, nil},
		{TypeHeartbeatAck, "heartbeat seen", Reply, nil},
		{TypeAck, "acknowledge", FromClient, []string{"msgid", "fromUser", "toUser", "conversationId", "upTo"}},
		{TypeAcked, "acknowledgement recorded", Reply, []string{"date", "message", "conversationId", "upTo", "at"}},
		{TypeDelivered, "delivered", Envelope, []string{"msgid", "messageId", "toUser", "device", "date", "at"}},
		{TypePing, "heartbeat, by its text", FromClient, nil},
		{TypePing, "heartbeat seen", Reply, nil},
		{TypeRenew, "renew the token", FromClient, []string{"token"}},
		{TypeRenew, "renewed", Reply, nil},
		{TypeWatch, "watch presence", FromClient, []string{"users"}},
		{TypeWatch, "watched", Reply, []string{"users"}},
		{TypePresence, "presence changed", Reply, []string{"openid", "status", "devices", "date", "at"}},
		{TypeRead, "mark read", FromClient, []string{"conversationId", "seq"}},
		{TypeRead, "marked", Reply, []string{"conversationId", "seq", "at"}},
		{TypeReadBy, "read by", Envelope, []string{"conversationId", "seq", "user"}},
		{TypeSignal, "signal", FromClient, []string{"toMessageId", "groupId", "signal"}},
		{TypeSignal, "signal", Reply, []string{"fromUser", "signal", "at"}},
		{TypeSync, "sync", FromClient, []string{"conversations", "pending"}},
		{TypeSyncDone, "sync done", Reply, []string{"epoch", "waiting", "gone", "reset", "marks", "proofs", "errors"}},
		{TypeRecall, "recall", FromClient, []string{"messageId"}},
		{TypeRecall, "recall done", Reply, []string{"messageId"}},
		{TypeRecalled, "recalled", Envelope, append([]string{"recalled", "by"}, positioned...)},
		{TypeHello, "hello", Reply, []string{"sessionId", "openid", "device", "newDevice", "epoch", "heartbeatSeconds", "frameBytes", "window", "at"}},
		{TypeError, "error", Reply, []string{"code", "message", "temporary", "msgid", "field", "retryAfterMs"}},
	}
}
