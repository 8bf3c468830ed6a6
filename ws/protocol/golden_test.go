package protocol_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

// The given examples, byte for byte. What the program writes must be equal to them once our own fields are taken out.
const (
	givenSend     = `{"type":1,"params":{"toMessageId":"56C02DF0516B4B079ABFCEC08169E577","message":"20240102","fileType":0}}`
	givenAccepted = `{"type":0,"params":{"date":"Tue Jan 02 10:28:12 CST 2024","message":"20240102"},"status":200}`
	givenMessage  = `{"activeTime":1704162492912,"from":"system","messageId":"c41c45611af44a36a79a93d5193aa116","msg":{"type":2,"params":{"toUser":{"openid":"56C02DF0516B4B079ABFCEC08169E577","loginStatus":"1","userName":"123"},"fromUser":{"openid":"1879878-NKCNO-NKNK","loginStatus":"1","userName":"rose"},"message":"20240102","fileType":"0"},"status":200},"msgType":1,"requestId":"fec21e30-9260-486f-b78e-04aa3b3d7b5f","sessionId":"192.168.56.1:8084_56C02DF0516B4B079ABFCEC08169E577_20240102102737","to":["56C02DF0516B4B079ABFCEC08169E577"],"trigger":1}`
	givenAck      = `{"type":15,"params":{"from":"client","msgid":"16516","fromUser":"56C02DF0516B4B079ABFCEC08169E577","toUser":"1879878-NKCNO-NKNK"}}`
	givenAcked    = `{"type":16,"params":{"date":"Tue Jan 02 21:59:05 CST 2024","message":"16516"},"status":200}`
	givenProof    = `{"activeTime":1704203945910,"from":"system","messageId":"17adfc694782429ea973076d83fe8c8a","msg":{"type":17,"status":200},"msgType":1,"requestId":"eee728b0-0182-46c7-9d97-39e711f20368","sessionId":"192.168.56.1:8084_56C02DF0516B4B079ABFCEC08169E577_20240102215858","to":["56C02DF0516B4B079ABFCEC08169E577"],"trigger":1}`
)

var cst = NewDates(time.FixedZone("CST", 8*60*60))

func mustMessageID(tb testing.TB, s string) MessageID {
	tb.Helper()
	id, ok := ParseMessageID(s)
	require.True(tb, ok, s)
	return id
}

func mustRequestID(tb testing.TB, s string) [16]byte {
	tb.Helper()
	id, ok := ParseRequestID(s)
	require.True(tb, ok, s)
	return id
}

// without takes our own parts out of a frame; each must stand in it exactly once.
func without(tb testing.TB, frame []byte, ours ...string) string {
	tb.Helper()
	rest := string(frame)
	for _, part := range ours {
		require.Equal(tb, 1, strings.Count(rest, part), "%s in %s", part, rest)
		rest = strings.Replace(rest, part, "", 1)
	}
	return rest
}

func exampleMessage(tb testing.TB) Message {
	return Message{
		At:        1704162492912,
		MessageID: mustMessageID(tb, "c41c45611af44a36a79a93d5193aa116"),
		MsgID:     "16516",
		To:        User{OpenID: "56C02DF0516B4B079ABFCEC08169E577", Name: "123", Online: true},
		From:      User{OpenID: "1879878-NKCNO-NKNK", Name: "rose", Online: true},
		Body:      "20240102",
	}
}

func exampleDelivery(tb testing.TB) Delivery {
	return Delivery{
		PrevSeq:   3,
		RequestID: mustRequestID(tb, "fec21e30-9260-486f-b78e-04aa3b3d7b5f"),
		SessionID: "192.168.56.1:8084_56C02DF0516B4B079ABFCEC08169E577_20240102102737",
		To:        "56C02DF0516B4B079ABFCEC08169E577",
		Trigger:   TriggerREST,
	}
}

func exampleDelivered(tb testing.TB) Delivered {
	return Delivered{
		At:        1704203945910,
		MsgID:     "16516",
		MessageID: mustMessageID(tb, "17adfc694782429ea973076d83fe8c8a"),
		ToUser:    "1879878-NKCNO-NKNK",
		Device:    "web",
		RequestID: mustRequestID(tb, "eee728b0-0182-46c7-9d97-39e711f20368"),
		SessionID: "192.168.56.1:8084_56C02DF0516B4B079ABFCEC08169E577_20240102215858",
		To:        "56C02DF0516B4B079ABFCEC08169E577",
		Trigger:   TriggerREST,
	}
}

func TestGiven_ClientFrames(t *testing.T) {
	var f Frame
	require.Nil(t, Decode([]byte(givenSend), &f))
	require.Equal(t, Frame{Type: TypeSend, To: "56C02DF0516B4B079ABFCEC08169E577", Message: "20240102"}, f)

	f = Frame{}
	require.Nil(t, Decode([]byte(givenAck), &f))
	require.Equal(t, Frame{
		Type: TypeAck, MsgID: "16516", FromUser: "56C02DF0516B4B079ABFCEC08169E577", ToUser: "1879878-NKCNO-NKNK",
	}, f)

	f = Frame{}
	require.Nil(t, Decode([]byte(`{"type":"20"}`), &f))
	require.Equal(t, Frame{Type: TypePing}, f)
	require.Equal(t, `{"type":"pong"}`, string(AppendPong(nil, "")))
}

func TestGiven_Accepted(t *testing.T) {
	frame := AppendAccepted(nil, cst, Accepted{
		At: 1704162492912, Message: "20240102", MsgID: "16516",
		MessageID: mustMessageID(t, "000000000000002a0000000000000007"),
	})
	require.Equal(t, givenAccepted, without(t, frame, `,"at":1704162492912`, `,"msgid":"16516"`,
		`,"messageId":"000000000000002a0000000000000007"`, `,"conversationId":"000000000000002a"`, `,"seq":7`, `,"duplicate":false`))
}

func TestGiven_Message(t *testing.T) {
	frame := AppendMessageTail(AppendMessageShared(nil, exampleMessage(t)), exampleDelivery(t))
	require.Equal(t, givenMessage, without(t, frame, `,"msgid":"16516"`, `,"conversationId":"c41c45611af44a36"`,
		`,"seq":12077127894207996182`, `,"prevSeq":3`, `,"redelivered":false`))
}

func TestGiven_Acked(t *testing.T) {
	frame := AppendAcked(nil, cst, Acked{At: 1704203945910, MsgID: "16516"})
	require.Equal(t, givenAcked, without(t, frame, `,"at":1704203945910`))
}

func TestGiven_Delivered(t *testing.T) {
	frame := AppendDelivered(nil, cst, exampleDelivered(t))
	require.Equal(t, givenProof, without(t, frame, `,"params":{"msgid":"16516","messageId":"17adfc694782429ea973076d83fe8c8a",`+
		`"toUser":"1879878-NKCNO-NKNK","device":"web","date":"Tue Jan 02 21:59:05 CST 2024","at":1704203945910}`))
}
