package protocol_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

// Strings are looked at eight bytes at a time: every byte has to be seen for what it is at every place.
func TestStrings_EveryByteEveryPlace(t *testing.T) {
	for _, around := range []string{"x", "é", "\x7f"} {
		for place := range 20 {
			for c := range byte(0x80) {
				s := strings.Repeat(around, place) + string(rune(c)) + strings.Repeat(around, 20)
				compare(t, []byte(`{"type":1,"params":{"toMessageId":"b","message":"`+s+`"}}`))
				var parsed struct{ Params struct{ Message string } }
				require.NoError(t, json.Unmarshal(AppendAcked(nil, cst, Acked{MsgID: s}), &parsed))
				require.Equal(t, s, parsed.Params.Message)
			}
		}
	}
}
