package protocol

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDocs runs every example of docs/protocol.md: frames of a client are decoded, frames of the server have to be what
// the encoders write.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	require.NoError(t, err)
	server := documented()
	clients := 0
	for _, example := range regexp.MustCompile("(?s)```json (\\S+)\n(.*?)\n```").FindAllStringSubmatch(string(page), -1) {
		name, text := example[1], strings.TrimSpace(example[2])
		if name == "client" {
			for line := range strings.Lines(text) {
				var f Frame
				require.Nil(t, Decode([]byte(strings.TrimSpace(line)), &f), line)
				clients++
			}
			continue
		}
		want, known := server[name]
		require.True(t, known, "no encoder for the example %q", name)
		require.Equal(t, want, text, name)
		delete(server, name)
	}
	require.Empty(t, server, "not shown in docs/protocol.md")
	require.GreaterOrEqual(t, clients, 10)
}

// TestDocs_Codes holds the page's table of error codes and close codes to the code's.
func TestDocs_Codes(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	require.NoError(t, err)
	for code := range codes {
		require.Contains(t, string(page), "`"+string(code)+"`", "an error code is not documented")
	}
}

func mustHex(digits string) (id [16]byte) {
	_, err := hex.Decode(id[:], []byte(digits))
	if err != nil {
		panic(err)
	}
	return id
}

func documented() map[string]string {
	dates := NewDates(time.FixedZone("CST", 8*3600))
	const at = 1704162492912
	id := MessageID{Conversation: 0x2a, Seq: 7}
	request := [16]byte{0xfe, 0xc2, 0x1e, 0x30, 0x92, 0x60, 0x48, 0x6f, 0xb7, 0x8e, 0x04, 0xaa, 0x3b, 0x3d, 0x7b, 0x5f}
	session := "192.168.56.1:8084_jack_20240102102737"
	jack, rose := User{OpenID: "jack", Name: "Jack", Online: true}, User{OpenID: "rose", Name: "Rose", Online: true}
	tail := Delivery{PrevSeq: 6, RequestID: request, SessionID: session, To: "jack", Trigger: TriggerREST}
	message := AppendMessageShared(nil, Message{At: at, MessageID: id, MsgID: "m-17", To: jack, From: rose, Body: "hello"})
	recalled := AppendRecalledShared(nil, Recalled{At: at, MessageID: MessageID{id.Conversation, 8}, Target: id, By: "rose"})
	recallTail := tail
	recallTail.PrevSeq = 7
	return map[string]string{
		"accepted":     string(AppendAccepted(nil, dates, Accepted{ID: `"a1"`, At: at, Message: "hello", MsgID: "m-17", MessageID: id})),
		"message":      string(AppendMessageTail(message, tail)),
		"acknowledged": string(AppendAcked(nil, dates, Acked{At: at, MsgID: "m-17"})),
		"upto":         string(AppendAcked(nil, dates, Acked{At: at, Conversation: id.Conversation, UpTo: 7})),
		"delivered": string(AppendDelivered(nil, dates, Delivered{
			At: at, MsgID: "m-17", MessageID: id, ToUser: "jack", Device: "web", RequestID: request,
			SessionID: "192.168.56.1:8084_rose_20240102102700", To: "rose", Trigger: TriggerREST,
		})),
		"watchdone": string(AppendWatchDone(nil, "", []Presence{
			{OpenID: "jack", Status: "online", Devices: []string{"web"}}, {OpenID: "will", Status: "offline"},
		})),
		"presence": string(AppendPresence(nil, dates, &Presence{At: at, OpenID: "jack", Status: "online", Devices: []string{"web", "phone"}})),
		"signal":   string(AppendSignal(nil, Signal{At: at, From: rose, Signal: "typing"})),
		"signaled": string(AppendReply(nil, TypeSignal, "7")),
		"readdone": string(AppendReadDone(nil, ReadDone{Conversation: id.Conversation, Seq: 7, At: at})),
		"readby": string(AppendReadBy(nil, ReadBy{
			At: at, Conversation: id.Conversation, Seq: 7, User: "jack", MessageID: mustHex("9b1f0c7d2a3e4f5061728394a5b6c7d8"), RequestID: request,
			SessionID: "192.168.56.1:8084_rose_20240102102700", To: "rose", Trigger: TriggerREST,
		})),
		"recalled":   string(AppendMessageTail(recalled, recallTail)),
		"recalldone": string(AppendRecallDone(nil, "", id)),
		"renewed":    string(AppendReply(nil, TypeRenew, "")),
		"heartbeat":  string(AppendReply(nil, TypeHeartbeatAck, "")),
		"pong":       string(AppendPong(nil, "")),
		"syncdone":   string(AppendSyncDone(nil, SyncDone{Epoch: 1, Waiting: []MessageID{id}, Marks: 1})),
		"hello": string(AppendHello(nil, Hello{
			SessionID: session, OpenID: "jack", Device: "web", Epoch: 1, HeartbeatSeconds: 30, FrameBytes: 65536, Window: 64, At: at,
		})),
		"error": string(AppendError(nil, `"a1"`, &Error{
			Code: UnknownUser, Message: "nobody of that openid is known here", Field: "toMessageId", MsgID: "m-17",
		})),
	}
}
