package protocol_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

// Whole frames, ours included: a field once shipped keeps its name, place, type and format.
func TestEncoders(t *testing.T) {
	id := MessageID{Conversation: 0x2a, Seq: 7}
	const at = 1704162492912
	tail := Delivery{
		PrevSeq: 5, Redelivered: true, RequestID: mustRequestID(t, "fec21e30-9260-486f-b78e-04aa3b3d7b5f"),
		SessionID: "10.0.0.1:8084_b_20240102102737", To: "b", Trigger: TriggerWebSocket,
	}
	for name, c := range map[string]struct {
		want string
		got  []byte
	}{
		"Accepted": {
			`{"type":0,"params":{"date":"Tue Jan 02 10:28:12 CST 2024","message":"hi","at":1704162492912,"msgid":"m1","messageId":"000000000000002a0000000000000007","conversationId":"000000000000002a","seq":7,"duplicate":true},"status":200,"id":"x1"}`,
			AppendAccepted(nil, cst, Accepted{ID: `"x1"`, At: at, Message: "hi", MsgID: "m1", MessageID: id, Duplicate: true}),
		},
		"AcceptedWithoutMsgID": {
			`{"type":0,"params":{"date":"Tue Jan 02 10:28:12 CST 2024","message":"","at":1704162492912,"messageId":"000000000000002a0000000000000007","conversationId":"000000000000002a","seq":7,"duplicate":false},"status":200}`,
			AppendAccepted(nil, cst, Accepted{At: at, MessageID: id}),
		},
		"Message": {
			`{"activeTime":1704162492912,"from":"system","messageId":"000000000000002a0000000000000007","msg":{"type":2,"params":{"toUser":{"openid":"b","loginStatus":"0","userName":"Bo"},"fromUser":{"openid":"a","loginStatus":"1","userName":"Al"},"message":"hi","fileType":"4","msgid":"m1","conversationId":"000000000000002a","seq":7,"prevSeq":5,"redelivered":true},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"10.0.0.1:8084_b_20240102102737","to":["b"],"trigger":2}`,
			AppendMessageTail(AppendMessageShared(nil, Message{
				At: at, MessageID: id, MsgID: "m1", To: User{OpenID: "b", Name: "Bo"}, From: User{"a", "Al", true}, Body: "hi", FileType: 4,
			}), tail),
		},
		"Recalled": {
			`{"activeTime":1704162492912,"from":"system","messageId":"000000000000002a0000000000000007","msg":{"type":31,"params":{"recalled":"000000000000002a0000000000000003","by":"a","conversationId":"000000000000002a","seq":7,"prevSeq":5,"redelivered":true},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"10.0.0.1:8084_b_20240102102737","to":["b"],"trigger":2}`,
			AppendMessageTail(AppendRecalledShared(nil, Recalled{At: at, MessageID: id, Target: MessageID{0x2a, 3}, By: "a"}), tail),
		},
		"EventJoined": {
			`{"activeTime":1704162492912,"from":"system","messageId":"000000000000002a0000000000000007","msg":{"type":32,"params":{"event":"joined","user":"c","by":"a","conversationId":"000000000000002a","seq":7,"prevSeq":5,"redelivered":true},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"10.0.0.1:8084_b_20240102102737","to":["b"],"trigger":2}`,
			AppendMessageTail(AppendEventShared(nil, Event{At: at, MessageID: id, Event: "joined", User: "c", By: "a"}), tail),
		},
		"EventRenamed": {
			`{"activeTime":1704162492912,"from":"system","messageId":"000000000000002a0000000000000007","msg":{"type":32,"params":{"event":"renamed","name":"new","by":"a","conversationId":"000000000000002a","seq":7,"prevSeq":5,"redelivered":true},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"10.0.0.1:8084_b_20240102102737","to":["b"],"trigger":2}`,
			AppendMessageTail(AppendEventShared(nil, Event{At: at, MessageID: id, Event: "renamed", Name: "new", By: "a"}), tail),
		},
		"AckedMsgID": {
			`{"type":16,"params":{"date":"Tue Jan 02 10:28:12 CST 2024","message":"m1","at":1704162492912},"status":200,"id":7}`,
			AppendAcked(nil, cst, Acked{ID: "7", At: at, MsgID: "m1", Conversation: 0x2a, UpTo: 9}),
		},
		"AckedUpTo": {
			`{"type":16,"params":{"date":"Tue Jan 02 10:28:12 CST 2024","conversationId":"000000000000002a","upTo":9,"at":1704162492912},"status":200}`,
			AppendAcked(nil, cst, Acked{At: at, Conversation: 0x2a, UpTo: 9}),
		},
		"DeliveredWithoutMsgID": {
			`{"activeTime":1704162492912,"from":"system","messageId":"000000000000002a0000000000000007","msg":{"type":17,"params":{"messageId":"000000000000002a0000000000000007","toUser":"b","device":"web","date":"Tue Jan 02 10:28:12 CST 2024","at":1704162492912},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"s","to":["a"],"trigger":1}`,
			AppendDelivered(nil, cst, Delivered{At: at, MessageID: id, ToUser: "b", Device: "web", RequestID: tail.RequestID, SessionID: "s", To: "a", Trigger: TriggerREST}),
		},
		"SyncDone": {
			`{"type":29,"params":{"epoch":3,"waiting":["000000000000002a0000000000000007","000000000000002a0000000000000008"],"gone":["000000000000002a0000000000000009"],"reset":true,"marks":2,"proofs":1,"errors":[{"conversationId":"000000000000002b","code":"bad_field","message":"past the head","temporary":false},{"conversationId":"000000000000002c","code":"overloaded","message":"later","temporary":true}]},"status":200,"id":"s"}`,
			AppendSyncDone(nil, SyncDone{
				ID: `"s"`, Epoch: 3, Waiting: []MessageID{id, {0x2a, 8}}, Gone: []MessageID{{0x2a, 9}}, Reset: true, Marks: 2, Proofs: 1,
				Errors: []MarkError{{0x2b, NewError(BadField, "past the head")}, {0x2c, NewError(Overloaded, "later")}},
			}),
		},
		"SyncDoneEmpty": {
			`{"type":29,"params":{"epoch":1,"waiting":[],"gone":[],"reset":false,"marks":0,"proofs":0},"status":200}`,
			AppendSyncDone(nil, SyncDone{Epoch: 1}),
		},
		"Hello": {
			`{"type":33,"params":{"sessionId":"s","openid":"a","device":"web","newDevice":true,"epoch":3,"heartbeatSeconds":30,"frameBytes":65536,"window":64,"at":1704162492912},"status":200}`,
			AppendHello(nil, Hello{"s", "a", "web", true, 3, 30, 65536, 64, at}),
		},
		"Error": {
			`{"type":500,"params":{"code":"missing_field","message":"missing","temporary":false,"msgid":"m1","field":"message"},"status":400,"id":12}`,
			AppendError(nil, "12", &Error{Code: MissingField, Message: "missing", Field: "message", MsgID: "m1", Cause: NewError(Internal, "hidden")}),
		},
		"ErrorTemporary": {
			`{"type":500,"params":{"code":"storage_unavailable","message":"later","temporary":true},"status":503}`,
			AppendError(nil, "", NewError(StorageUnavailable, "later")),
		},
		"ErrorLimited": {
			`{"type":500,"params":{"code":"rate_limited","message":"slow down","temporary":true,"retryAfterMs":2001},"status":429}`,
			AppendError(nil, "", &Error{Code: RateLimited, Message: "slow down", RetryAfter: 2*time.Second + 1}),
		},
		"Heartbeat":   {`{"type":12,"status":200}`, AppendReply(nil, TypeHeartbeatAck, "")},
		"HeartbeatID": {`{"type":12,"status":200,"id":1}`, AppendReply(nil, TypeHeartbeatAck, "1")},
		"RecallDone":  {`{"type":30,"params":{"messageId":"000000000000002a0000000000000007"},"status":200,"id":"r"}`, AppendRecallDone(nil, `"r"`, id)},
		"WatchDone": {
			`{"type":23,"params":{"users":[{"openid":"a","status":"online","devices":["web","phone"]},{"openid":"b","status":"unknown","devices":[]}]},"status":200,"id":"w"}`,
			AppendWatchDone(nil, `"w"`, []Presence{{OpenID: "a", Status: "online", Devices: []string{"web", "phone"}}, {OpenID: "b", Status: "unknown"}}),
		},
		"WatchDoneNobody": {`{"type":23,"params":{"users":[]},"status":200}`, AppendWatchDone(nil, "", nil)},
		"Presence": {
			`{"type":24,"params":{"openid":"a","status":"offline","devices":[],"date":"Tue Jan 02 10:28:12 CST 2024","at":1704162492912},"status":200}`,
			AppendPresence(nil, cst, &Presence{At: at, OpenID: "a", Status: "offline"}),
		},
		"Signal": {
			`{"type":27,"params":{"fromUser":{"openid":"a","loginStatus":"1","userName":"Al"},"signal":"typing","at":1704162492912},"status":200}`,
			AppendSignal(nil, Signal{At: at, From: User{"a", "Al", true}, Signal: "typing"}),
		},
		"ReadDone": {
			`{"type":25,"params":{"conversationId":"000000000000002a","seq":7,"at":1704162492912},"status":200,"id":"r"}`,
			AppendReadDone(nil, ReadDone{ID: `"r"`, Conversation: 0x2a, Seq: 7, At: at}),
		},
		"ReadBy": {
			`{"activeTime":1704162492912,"from":"system","messageId":"fec21e309260486fb78e04aa3b3d7b5f","msg":{"type":26,"params":{"conversationId":"000000000000002a","seq":7,"user":"b"},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"s","to":["a"],"trigger":2}`,
			AppendReadBy(nil, ReadBy{
				At: at, Conversation: 0x2a, Seq: 7, User: "b", MessageID: tail.RequestID, RequestID: tail.RequestID, SessionID: "s", To: "a",
				Trigger: TriggerWebSocket,
			}),
		},
		"PongID":        {`{"type":"pong","id":"p"}`, AppendPong(nil, `"p"`)},
		"AppendsToWhat": {`before{"type":7,"status":200}`, AppendReply([]byte("before"), TypeRegister, "")},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, string(c.got)) })
	}
}

// What stands in text of clients must come out as JSON, whatever it is.
func TestEncoders_Escapes(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                `plain`,
		`"` + `\`:              `\"\\`,
		"\n\r\t\b\f\x00\x1f":   `\n\r\t\u0008\u000c\u0000\u001f`,
		"<a href='x'>&</a>/":   `<a href='x'>&</a>/`,
		"\x7f é 漢 😀":           "\x7f é 漢 😀",
		"a\u2028b\u2029c":      `a\u2028b\u2029c`,
		"a\xffb\xc3":           "a\uFFFDb\uFFFD",
		"\xed\xa0\x80 \uFFFD":  "\uFFFD\uFFFD\uFFFD \uFFFD",
		"\u2027\u202a \u1028!": "\u2027\u202a \u1028!",
	} {
		got := string(AppendAcked(nil, cst, Acked{At: 0, MsgID: text}))
		require.Equal(t, `{"type":16,"params":{"date":"Thu Jan 01 08:00:00 CST 1970","message":"`+want+`","at":0},"status":200}`, got)
	}
}
