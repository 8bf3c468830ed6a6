package protocol_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

// hotFrames are what every message costs a server: one send and one acknowledgement to read, five frames to write.
const (
	hotSend = `{"type":1,"params":{"toMessageId":"56C02DF0516B4B079ABFCEC08169E577","message":"` +
		`0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456` +
		`","fileType":0,"msgid":"5f0c3f5e-1"},"id":17}`
	hotAck = `{"type":15,"params":{"from":"client","msgid":"5f0c3f5e-1","fromUser":"56C02DF0516B4B079ABFCEC08169E577","toUser":"1879878-NKCNO-NKNK"}}`
)

func hotDecoders() map[string][]byte {
	return map[string][]byte{
		"Send":      []byte(hotSend),
		"SendLarge": []byte(strings.Replace(hotSend, "0123456789 ", strings.Repeat("0123456789 ", 400), 1)),
		"Ack":       []byte(hotAck),
		"AckUpTo":   []byte(`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":9}}`),
	}
}

func hotEncoders(tb testing.TB) map[string]func(dst []byte) []byte {
	message, delivery, delivered := exampleMessage(tb), exampleDelivery(tb), exampleDelivered(tb)
	message.Body = strings.Repeat("0123456789abcdef", 8)
	accepted := Accepted{ID: "17", At: message.At, Message: message.Body, MsgID: "16516", MessageID: message.MessageID}
	acked := Acked{At: message.At, MsgID: "16516"}
	presence := Presence{At: message.At, OpenID: "a", Status: "online", Devices: []string{"web", "phone"}}
	fault := FieldError(BadField, "fileType", "must be a number from 0 to 4")
	syncDone := SyncDone{Waiting: fullPending(), Errors: []MarkError{{1, fault}}}
	return map[string]func(dst []byte) []byte{
		"Accepted":      func(dst []byte) []byte { return AppendAccepted(dst, cst, accepted) },
		"MessageShared": func(dst []byte) []byte { return AppendMessageShared(dst, message) },
		"MessageTail":   func(dst []byte) []byte { return AppendMessageTail(dst, delivery) },
		"Acked":         func(dst []byte) []byte { return AppendAcked(dst, cst, acked) },
		"Delivered":     func(dst []byte) []byte { return AppendDelivered(dst, cst, delivered) },
		"Error":         func(dst []byte) []byte { return AppendError(dst, "17", fault) },
		"Reply":         func(dst []byte) []byte { return AppendReply(dst, TypeHeartbeatAck, "17") },
		"Pong":          func(dst []byte) []byte { return AppendPong(dst, "17") },
		"SyncDone":      func(dst []byte) []byte { return AppendSyncDone(dst, syncDone) },
		"Recalled": func(dst []byte) []byte {
			return AppendRecalledShared(dst, Recalled{MessageID: message.MessageID, By: "a"})
		},
		"WatchDone": func(dst []byte) []byte { return AppendWatchDone(dst, "1", []Presence{presence, presence}) },
		"Presence":  func(dst []byte) []byte { return AppendPresence(dst, cst, &presence) },
		"Signal":    func(dst []byte) []byte { return AppendSignal(dst, Signal{From: message.From, Signal: "typing"}) },
		"ReadDone":  func(dst []byte) []byte { return AppendReadDone(dst, ReadDone{Conversation: 1, Seq: 2}) },
		"ReadBy":    func(dst []byte) []byte { return AppendReadBy(dst, ReadBy{User: "a", SessionID: "s", To: "b"}) },
		"Event":     func(dst []byte) []byte { return AppendEventShared(dst, Event{Event: "left", User: "a", By: "a"}) },
		"Hello":     func(dst []byte) []byte { return AppendHello(dst, Hello{SessionID: "s", OpenID: "a", Device: "web"}) },
	}
}

func TestAllocations(t *testing.T) {
	var f Frame
	for name, data := range hotDecoders() {
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = Decode(data, &f) }), 1.0, name)
	}
	sync := []byte(syncOf(marksOf(50), pendingOf(50)))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = Decode(sync, &f) }), 1.0, "Sync into a used frame")
	buf := make([]byte, 0, 1<<16)
	for name, encode := range hotEncoders(t) {
		encode(buf) // the first one of a second makes the date
		require.Zero(t, testing.AllocsPerRun(100, func() { encode(buf) }), name)
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, data := range hotDecoders() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			var f Frame
			for b.Loop() {
				if err := Decode(data, &f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, encode := range hotEncoders(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 1<<16)
			for b.Loop() {
				encode(buf)
			}
		})
	}
}
