package protocol_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

// FuzzDecode compares Decode with encoding/json: which texts are well formed, and what the fields of a frame hold.
func FuzzDecode(f *testing.F) {
	for _, data := range []string{
		givenSend, givenAck, hotSend, hotAck,
		`{"type":"20","id":-1.5e3}`, `{"type":11}`, `{"type":9}`, `{"type":2}`, `[]`, `null`, `"x"`, ``, `{`,
		`{"type":1,"params":{"toMessageId":"b","message":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00","msgid":"m","isretry":true,"fileType":"4"}}`,
		`{"params":{"message":"hi","toMessageId":"b"},"id":"x","type":1}`,
		`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":9}}`,
		`{"type":15,"params":{"msgid":"m","fromUser":{"openid":"a","x":[]},"toUser":null}}`,
		`{"type":7,"params":{"openid":"a","userName":"Al","loginStatus":"1"}}`,
		`{"type":22,"params":{"token":"t"}}`,
		`{"type":23,"params":{"users":["a","\u0062"]}}`,
		`{"type":27,"params":{"toMessageId":"b","signal":"typing"}}`, `{"type":27,"params":{"groupId":"g","signal":"typing"}}`,
		`{"type":25,"params":{"conversationId":"` + conv1 + `","seq":9}}`,
		`{"type":30,"params":{"messageId":"` + msg1 + `"}}`,
		syncOf(`{"`+conv2+`":0,"`+conv1+`":7}`, `["`+msg1+`"]`),
		`{"type":11,"x":"\ud800"}`, `{"type":11,"x":"\ud83d\ud83d\ude00"}`, "{\"type\":11,\"x\":\"\xff\"}", "{\"type\":11,\"x\":\"\n\"}",
		`{"type":01}`, `{"type":1e999}`, `{"type":11,"type":11}`, `{"type":11}x`,
		`{"x":` + nested(31, "[", "]") + `}`, `{"x":` + nested(32, "[", "]") + `}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		compare(t, data)
	})
}

// compare holds Decode against the reference for one text.
func compare(t *testing.T, data []byte) {
	t.Helper()
	before := string(data)
	var f Frame
	err := Decode(data, &f)
	require.Equal(t, before, string(data), "the caller's bytes were changed")
	require.Equal(t, wellFormed(data), err == nil || err.Code != BadJSON, "%v", err)
	requireEchoable(t, f, err)
	if err != nil {
		require.NotEmpty(t, err.Message)
		require.NotEmpty(t, AppendError(nil, f.ID, err))
		if err.Code == BadFrame && err.Field == "" {
			require.NotEqual(t, byte('{'), strings.TrimLeft(before, " \t\r\n")[0])
		}
		return
	}
	top, times := members(data)
	require.LessOrEqual(t, max(times["type"], times["params"], times["id"]), 1)
	require.Equal(t, string(top["id"]), f.ID)
	require.Equal(t, strconv.Itoa(int(f.Type)), typeOf(top["type"]))
	requireParams(t, f, top["params"])
}

func requireEchoable(t *testing.T, f Frame, err *Error) {
	t.Helper()
	if f.ID != "" {
		require.True(t, json.Valid([]byte(f.ID)) && utf8.ValidString(f.ID), f.ID)
	}
	require.True(t, ValidMsgID(f.MsgID))
	if err != nil {
		require.Equal(t, f.MsgID, err.MsgID)
	}
}

func typeOf(v json.RawMessage) string {
	if isString(v) {
		return stringOf(v)
	}
	return string(v)
}

// requireParams compares what Decode read of params with what encoding/json finds there.
func requireParams(t *testing.T, f Frame, raw json.RawMessage) {
	t.Helper()
	params, times := members(raw)
	want := Frame{Type: f.Type, ID: f.ID}
	switch f.Type {
	case TypeSend:
		require.True(t, isString(params["toMessageId"]) && isString(params["message"]))
		want.To, want.Message, want.MsgID = stringOf(params["toMessageId"]), stringOf(params["message"]), stringOf(params["msgid"])
		require.True(t, ValidOpenID(want.To))
		want.FileType = uint8(integerOf(json.RawMessage(typeOf(params["fileType"]))))
		want.IsRetry = f.IsRetry
	case TypeAck:
		want.MsgID, want.FromUser, want.ToUser = stringOf(params["msgid"]), userOf(params["fromUser"]), userOf(params["toUser"])
		if integerOf(params["upTo"]) > 0 {
			want.UpTo = integerOf(params["upTo"])
			want.Conversation, _ = ParseConversationID(stringOf(params["conversationId"]))
		}
		require.NotEqual(t, f.MsgID == "", f.UpTo == 0)
	case TypeRegister:
		want.OpenID, want.UserName, want.LoginStatus = stringOf(params["openid"]), stringOf(params["userName"]), stringOf(params["loginStatus"])
	case TypeRenew:
		want.Token = stringOf(params["token"])
		require.NotEmpty(t, want.Token)
	case TypeWatch:
		require.NoError(t, json.Unmarshal(params["users"], &want.Users))
		for _, user := range want.Users {
			require.True(t, ValidOpenID(user))
		}
		if len(want.Users) == 0 {
			want.Users = nil
		}
	case TypeSignal:
		want.Group, want.Signal, want.To = stringOf(params["groupId"]), stringOf(params["signal"]), stringOf(params["toMessageId"])
		require.NotEqual(t, want.Group == "", want.To == "")
		require.True(t, want.Signal != "" && len(want.Signal) <= MaxSignal)
	case TypeRead:
		want.Conversation, _ = ParseConversationID(stringOf(params["conversationId"]))
		want.Seq = integerOf(params["seq"])
		require.NotZero(t, want.Conversation)
		require.NotZero(t, want.Seq)
	case TypeRecall:
		want.MessageID = mustMessageID(t, stringOf(params["messageId"]))
	case TypeSync:
		requireSync(t, f, params)
		want.Marks, want.Pending = f.Marks, f.Pending
	case TypeHeartbeat, TypePing:
	default:
		require.Fail(t, "a frame that clients do not send", "%d", f.Type)
	}
	require.Equal(t, want, f)
	for _, name := range []string{
		"toMessageId", "message", "fileType", "msgid", "isretry", "fromUser", "toUser", "conversationId", "upTo", "seq",
		"openid", "userName", "loginStatus", "token", "messageId", "users", "groupId", "signal", "conversations", "pending",
	} {
		require.LessOrEqual(t, times[name], 1, name)
	}
}

func userOf(v json.RawMessage) string {
	if isString(v) {
		return stringOf(v)
	}
	user, _ := members(v)
	return stringOf(user["openid"])
}

func requireSync(t *testing.T, f Frame, params map[string]json.RawMessage) {
	t.Helper()
	marks, times := members(params["conversations"])
	require.Len(t, f.Marks, len(marks))
	for _, m := range f.Marks {
		require.Equal(t, 1, times[m.Conversation.String()])
		require.Equal(t, integerOf(marks[m.Conversation.String()]), m.Seq)
	}
	var pending []string
	_ = json.Unmarshal(params["pending"], &pending)
	require.Len(t, f.Pending, len(pending))
	for i, id := range f.Pending {
		require.Equal(t, pending[i], id.String())
	}
}

// FuzzString throws arbitrary strings, rather than arbitrary texts, at the decoder: what encoding/json wrote must come
// back as it was, however it was escaped.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "hi", "\"\\\n\x00\x7f", "é漢😀\u2028", "1234567\"", "12345678\\9", strings.Repeat("é", 20)} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, escapeAll bool) {
		if !utf8.ValidString(s) {
			return
		}
		quoted, err := json.Marshal(s)
		require.NoError(t, err)
		if escapeAll {
			quoted = []byte(`"` + escapeUnits(s) + `"`)
		}
		var frame Frame
		require.Nil(t, Decode([]byte(`{"type":1,"params":{"toMessageId":"b","message":`+string(quoted)+`,"x":`+string(quoted)+`}}`), &frame))
		require.Equal(t, s, frame.Message)
	})
}

// escapeUnits writes each UTF-16 unit of s as an escape.
func escapeUnits(s string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&out, `\u%04x`, unit)
	}
	return out.String()
}
