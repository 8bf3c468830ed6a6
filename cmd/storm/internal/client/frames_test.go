package client

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	t.Run("an envelope", func(t *testing.T) {
		in, kind, params, err := decode([]byte(`{"messageId":"00000000000000aa0000000000000011","to":["jack"],
			"msg":{"type":2,"params":{"toUser":{"openid":"jack"},"fromUser":{"openid":"rose"},"message":"hello","msgid":"m1",
			"conversationId":"00000000000000aa","seq":17,"prevSeq":15}}}`))
		require.NoError(t, err)
		require.Equal(t, "2", kind)
		require.Equal(t, []string{"jack"}, in.To)
		require.Equal(t, fields{
			FromUser: "rose", ToUser: "jack", Message: "hello", MsgID: "m1", ConversationID: "00000000000000aa", Seq: 17, PrevSeq: 15,
		}, *params)
	})
	t.Run("a reply", func(t *testing.T) {
		in, kind, params, err := decode([]byte(`{"type":29,"params":{"waiting":["x"],"errors":[{"conversationId":"a","code":"bad_field"}]},"id":7}`))
		require.NoError(t, err)
		require.Equal(t, "29", kind)
		require.Equal(t, "7", string(in.ID))
		require.Equal(t, fields{Waiting: []string{"x"}, Errors: []markError{{"a", "bad_field"}}}, *params)
	})
	t.Run("an openid alone", func(t *testing.T) {
		_, kind, params, err := decode([]byte(`{"msg":{"type":17,"params":{"toUser":"jack","device":"web"}}}`))
		require.NoError(t, err)
		require.Equal(t, "17", kind)
		require.Equal(t, person("jack"), params.ToUser)
	})
	t.Run("no JSON", func(t *testing.T) {
		_, _, _, err := decode([]byte(`{"type":`))
		require.Error(t, err)
	})
}

func TestRequest(t *testing.T) {
	var frame map[string]any
	require.NoError(t, json.Unmarshal(request(1, 0, object{"msgid": "m1"}), &frame))
	require.Equal(t, map[string]any{"type": 1.0, "params": map[string]any{"msgid": "m1"}}, frame)
	require.NoError(t, json.Unmarshal(request(28, 3, object{}), &frame))
	require.InDelta(t, 3, frame["id"], 0)
}

func TestSplitID(t *testing.T) {
	conversation, seq, ok := splitID("00000000000000aa0000000000000f11")
	require.True(t, ok)
	require.Equal(t, "00000000000000aa", conversation)
	require.Equal(t, uint64(0xf11), seq)
	for _, bad := range []string{"", "00000000000000aa", "00000000000000aa0000000000000F11", "00000000000000aa0000000000000f111"} {
		_, _, ok := splitID(bad)
		require.False(t, ok, bad)
	}
}
