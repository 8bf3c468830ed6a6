package protocol_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

func TestBodyFields(t *testing.T) {
	fields, fault := BodyFields([]byte(` {"a":"x\"y", "b" :[1,{"a":2}],"\u0063":null} `))
	require.Nil(t, fault)
	require.Equal(t, map[string]string{"a": `"x\"y"`, "b": `[1,{"a":2}]`, "c": "null"}, fields)
	fields, fault = BodyFields([]byte("{}"))
	require.Nil(t, fault)
	require.Empty(t, fields)

	for body, field := range map[string]string{
		"": "", "null": "", "[]": "", `"a"`: "", "{": "", `{"a"}`: "", `{"a":}`: "", `{"a":1,}`: "", `{"a":1} x`: "", "{\"a\":\"\xff\"}": "",
		`{"a":"\udc00"}`: "", `{"a":` + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth) + "}": "",
		`{"a":1,"b":2,"\u0061":3}`: "a",
	} {
		_, fault := BodyFields([]byte(body))
		require.NotNil(t, fault, body)
		require.Equal(t, BadJSON, fault.Code, body)
		require.Equal(t, field, fault.Field, body)
	}
}
