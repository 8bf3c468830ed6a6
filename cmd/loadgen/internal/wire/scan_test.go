package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
	"github.com/yanlink/yanlink/ws/protocol"
)

const run = "0a1b2c3d"

var (
	msgid = string(wire.AppendMsgID(nil, run, 7, 99))
	id    = protocol.MessageID{Conversation: 3, Seq: 5}
	dates = protocol.NewDates(nil)
)

// frames are what the server's own codec writes.
func frames() map[int][]byte {
	message := protocol.AppendMessageShared(nil, protocol.Message{
		MessageID: id, MsgID: msgid, To: protocol.User{OpenID: "b"}, From: protocol.User{OpenID: "a"}, Body: "hi",
	})
	return map[int][]byte{
		wire.Accepted:  protocol.AppendAccepted(nil, dates, protocol.Accepted{Message: "hi", MsgID: msgid, MessageID: id}),
		wire.Message:   protocol.AppendMessageTail(message, protocol.Delivery{PrevSeq: 4, Redelivered: true}),
		wire.Acked:     protocol.AppendAcked(nil, dates, protocol.Acked{MsgID: msgid}),
		wire.Delivered: protocol.AppendDelivered(nil, dates, protocol.Delivered{MsgID: msgid, MessageID: id, ToUser: "b"}),
	}
}

func TestScan_ReadsTheServersFrames(t *testing.T) {
	for kind, frame := range frames() {
		got, about, err := wire.Scan(frame)
		require.NoError(t, err)
		require.Equal(t, kind, got)
		require.Equal(t, msgid, string(about), "type %d", kind)
	}
	kind, _, err := wire.Scan(protocol.AppendHello(nil, protocol.Hello{OpenID: "a"}))
	require.NoError(t, err)
	require.Equal(t, wire.Hello, kind)
	kind, _, err = wire.Scan(protocol.AppendError(nil, "", protocol.NewError(protocol.Overloaded, "later")))
	require.NoError(t, err)
	require.Equal(t, wire.Refused, kind)
}

func TestScan_DecodesWhatIsWrittenOtherwise(t *testing.T) {
	kind, about, err := wire.Scan([]byte(`{"params" : {"msgid" : "x"}, "type" : 17}`))
	require.NoError(t, err)
	require.Equal(t, wire.Delivered, kind)
	require.Equal(t, "x", string(about))
	_, _, err = wire.Scan([]byte(`nonsense`))
	require.Error(t, err)
	kind, _, err = wire.Scan([]byte(`{"type":"pong"}`))
	require.NoError(t, err)
	require.Negative(t, kind)
}

func TestDecode_ReadsWhatACheckerAsksFor(t *testing.T) {
	frame := frames()[wire.Message]
	before := string(frame)
	f, err := wire.Decode(frame)
	require.NoError(t, err)
	require.Equal(t, before, string(frame))
	require.Equal(t, wire.Message, f.Type)
	require.Equal(t, id.String(), f.MessageID)
	require.Equal(t, "a", f.Params.FromUser.OpenID)
	require.Equal(t, id.Conversation.String(), f.Params.Conversation)
	require.Equal(t, id.Seq, f.Params.Seq)
	require.True(t, f.Params.Redelivered)
	require.Equal(t, "hi", f.Params.Message)
}

func TestComposer_WritesFramesTheServerReads(t *testing.T) {
	for _, body := range []int{1, wire.MsgIDChars, 128} {
		c := wire.NewComposer("me", "you", body)
		var f protocol.Frame
		require.Nil(t, protocol.Decode(c.AppendSend(nil, []byte(msgid)), &f))
		require.Equal(t, protocol.TypeSend, f.Type)
		require.Equal(t, "you", f.To)
		require.Equal(t, msgid, f.MsgID)
		require.Len(t, f.Message, body)
		require.Nil(t, protocol.Decode(c.AppendAck(nil, []byte(msgid)), &f))
		require.Equal(t, protocol.TypeAck, f.Type)
		require.Equal(t, msgid, f.MsgID)
		require.Equal(t, "you", f.FromUser)
		require.Equal(t, "me", f.ToUser)
	}
}

func TestParseMsgID(t *testing.T) {
	sender, counter, ok := wire.ParseMsgID([]byte(msgid), run)
	require.True(t, ok)
	require.EqualValues(t, 7, sender)
	require.EqualValues(t, 99, counter)
	for _, other := range []string{"", "x", msgid + "0", "ffffffff" + msgid[8:], msgid[:23] + "g"} {
		_, _, ok := wire.ParseMsgID([]byte(other), run)
		require.False(t, ok, other)
	}
}
