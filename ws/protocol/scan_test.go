package protocol_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

func TestDecode_BadJSON(t *testing.T) {
	for data, says := range map[string]string{
		"":                                     "ends too early",
		" ":                                    "ends too early",
		`{`:                                    "ends too early",
		`{"type":1`:                            "ends too early",
		`{"type":`:                             "ends too early",
		`{"type`:                               "ends too early",
		`{"type":11} {}`:                       "data after the frame at byte 12",
		`{"type":11}x`:                         "data after the frame",
		"{\"type\":11}\x00":                    "data after the frame",
		`[1] 2`:                                "data after the frame",
		"\ufeff{\"type\":11}":                  "unexpected character at byte 0",
		`{"type":01}`:                          "leading zero",
		`{"type":-01}`:                         "leading zero",
		`{"type":+1}`:                          "unexpected character",
		`{"type":.5}`:                          "unexpected character",
		`{"type":1.}`:                          "needs a digit",
		`{"type":-}`:                           "needs a digit",
		`{"type":1e}`:                          "needs a digit",
		`{"type":1e+}`:                         "needs a digit",
		`{"type":0x1}`:                         "unexpected character",
		`{"type":NaN}`:                         "unexpected character",
		`{"type":nul}`:                         "unknown word",
		`{"type":True}`:                        "unexpected character",
		`{"type":truex}`:                       "unexpected character",
		`{"type":11,}`:                         "key must be a string",
		`{,"type":11}`:                         "key must be a string",
		`{type:11}`:                            "key must be a string",
		`{'type':11}`:                          "key must be a string",
		`{"type" 11}`:                          "needs a colon",
		`{"type":11 "id":1}`:                   "unexpected character",
		`{"type":11]`:                          "unexpected character",
		`{"x":[1,]}`:                           "unexpected character",
		`{"x":[,1]}`:                           "unexpected character",
		`{"x":[1 2]}`:                          "unexpected character",
		`{"x":[1}`:                             "unexpected character",
		`{"x":{"a":1]}`:                        "unexpected character",
		`{"params":{"a":1,}}`:                  "key must be a string",
		"{\"x\":\"a\nb\"}":                     "raw control character in a string at byte 7",
		"{\"x\":\"\x00\"}":                     "raw control character",
		"{\"x\n\":1}":                          "raw control character",
		`{"x":"\x"}`:                           "unknown escape",
		`{"x":"\`:                              "ends too early",
		`{"x":"\u12"}`:                         "four hex digits",
		`{"x":"\u12g4"}`:                       "four hex digits",
		`{"x":"\ud800"}`:                       "unpaired surrogate",
		`{"x":"\udc00"}`:                       "unpaired surrogate",
		`{"x":"\udc00\ud800"}`:                 "unpaired surrogate",
		`{"x":"\udc00\udc00"}`:                 "unpaired surrogate",
		"{\"x\":\"\x1f\"}":                     "raw control character",
		`{"x":"\ud800\ud800"}`:                 "unpaired surrogate",
		`{"x":"\ud800 \udc00"}`:                "unpaired surrogate",
		`{"x":"\ud800\n"}`:                     "unpaired surrogate",
		`{"x":"\ud800\uzzzz"}`:                 "unpaired surrogate",
		`{"\ud800":1}`:                         "unpaired surrogate",
		"{\"x\":\"a\xff\"}":                    "invalid UTF-8 at byte 7",
		"{\"x\":\"\xed\xa0\x80\"}":             "invalid UTF-8",
		"{\"x\":\"\xc0\xaf\"}":                 "invalid UTF-8",
		"\xff":                                 "invalid UTF-8 at byte 0",
		"{\"type\":11}\xf0\x9f":                "invalid UTF-8 at byte 11",
		`{"x":` + nested(32, "[", "]"):         "deeper than 32 levels",
		nested(33, "[", "]"):                   "deeper than 32 levels",
		nested(1000000, "[", ""):               "deeper than 32 levels",
		nested(33, `{"a":`, ""):                "deeper than 32 levels",
		`{"params":` + nested(32, `{"a":`, ""): "deeper than 32 levels",
	} {
		t.Run(fmt.Sprintf("%.40q", data), func(t *testing.T) {
			var f Frame
			err := Decode([]byte(data), &f)
			require.NotNil(t, err)
			require.Equal(t, BadJSON, err.Code)
			require.Contains(t, err.Message, says)
		})
	}
}

func nested(n int, open, shut string) string {
	return strings.Repeat(open, n) + strings.Repeat(shut, n)
}
