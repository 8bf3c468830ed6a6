package protocol

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFrames_OfClients asks the decoder which fields it reads of each type: those that it refuses when they are senseless.
func TestFrames_OfClients(t *testing.T) {
	said := make(map[Type][]string)
	for _, info := range Frames() {
		if info.Layout == FromClient {
			said[info.Type] = info.Fields
		}
	}
	for kind := Type(-1); kind <= 600; kind++ {
		var f Frame
		err := Decode(fmt.Appendf(nil, `{"type":%d}`, kind), &f)
		fields, known := said[kind]
		require.Equal(t, known, err == nil || err.Code != UnknownType, "type %d", kind)
		if !known {
			continue
		}
		for _, name := range fieldNames {
			read := refuses(kind, name)
			require.Equal(t, slices.Contains(fields, name), read, "%s of type %d", name, kind)
		}
	}
}

// valid are values that each field takes.
var valid = map[string]string{
	"toMessageId": `"a"`, "message": `"m"`, "msgid": `"k"`, "conversationId": `"000000000000002a"`, "upTo": `1`, "seq": `1`,
	"token": `"t"`, "messageId": `"000000000000002a0000000000000007"`, "users": `[]`, "groupId": `"g"`, "signal": `"s"`,
}

// refuses says whether some frame of a type is refused only because of a senseless value of a field.
func refuses(kind Type, name string) bool {
	names := slices.Sorted(maps.Keys(valid))
	// Some are required, some exclude each other: any two are tried beside it.
	for _, a := range names {
		for _, b := range names {
			params := map[string]string{a: valid[a], b: valid[b]}
			if valid[name] != "" {
				params[name] = valid[name]
			}
			if !takes(kind, params) {
				continue
			}
			params[name] = `[{}]`
			if !takes(kind, params) {
				return true
			}
		}
	}
	return false
}

func takes(kind Type, params map[string]string) bool {
	var parts []string
	for name, value := range params {
		parts = append(parts, fmt.Sprintf("%q:%s", name, value))
	}
	var f Frame
	return Decode(fmt.Appendf(nil, `{"type":%d,"params":{%s}}`, kind, strings.Join(parts, ",")), &f) == nil
}

// TestFrames_OfTheServer holds the table against what the encoders write.
func TestFrames_OfTheServer(t *testing.T) {
	written := make(map[string][]string) // by type on the wire and layout
	for _, text := range append(slices.Collect(maps.Values(documented())), rest()...) {
		var frame struct {
			Type   json.RawMessage
			Params map[string]json.RawMessage
			Msg    *struct {
				Type   json.RawMessage
				Params map[string]json.RawMessage
			}
		}
		require.NoError(t, json.Unmarshal([]byte(text), &frame), text)
		key := fmt.Sprintf("%s %d", frame.Type, Reply)
		if frame.Msg != nil {
			key = fmt.Sprintf("%s %d", frame.Msg.Type, Envelope)
			frame.Params = frame.Msg.Params
		}
		for name := range frame.Params {
			if !slices.Contains(written[key], name) {
				written[key] = append(written[key], name)
			}
		}
		written[key] = slices.Grow(written[key], 0) // there, though it has no fields
	}
	for _, info := range Frames() {
		if info.Layout == FromClient {
			continue
		}
		key := fmt.Sprintf("%s %d", info.Wire(), info.Layout)
		fields, ok := written[key]
		require.True(t, ok, "no example of %s", info.Name)
		require.ElementsMatch(t, info.Fields, fields, info.Name)
		delete(written, key)
	}
	require.Empty(t, written, "not in the table")
}

// rest are frames that docs/protocol.md does not show.
func rest() []string {
	return []string{
		string(AppendReply(nil, TypeRegister, "")),
		string(AppendError(nil, "", &Error{Code: RateLimited, RetryAfter: 1})),
		string(AppendSyncDone(nil, SyncDone{Errors: []MarkError{{Conversation: 1, Err: NewError(NotMember, "")}}})),
	}
}

func TestCodes(t *testing.T) {
	require.Len(t, Codes(), len(codes))
	for _, code := range Codes() {
		require.NotEmpty(t, code.Meaning(), code)
	}
}
