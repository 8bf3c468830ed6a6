package protocol_test

import (
	"fmt"
	"testing"
)

// Every type with every known field holding every kind of value, each alone and beside what the type requires.
func TestDecode_AgreesWithReference(t *testing.T) {
	values := []string{
		`null`, `true`, `false`, `0`, `-0`, `1`, `4`, `5`, `-1`, `1.0`, `1e2`, `9007199254740992`, `9007199254740993`,
		`18446744073709551616`, `1e999`, `""`, `"x"`, `"a,b"`, `"\u0000"`, `"4"`, `"04"`, `"\ud83d\ude00"`, `"\ud800"`,
		`[]`, `{}`, `{"openid":"a"}`, `{"openid":1}`, `["` + msg1 + `"]`, `"` + msg1 + `"`, `"` + conv1 + `"`,
		`{"` + conv1 + `":1}`, `{"` + conv1 + `":1,"` + conv1 + `":2}`, `{"` + conv1 + `":-1}`, `[[`, `01`, `["a","b"]`, `["a",1]`, `["a,b"]`,
	}
	fields := []string{
		"toMessageId", "message", "fileType", "msgid", "isretry", "fromUser", "toUser", "conversationId", "upTo", "seq", "from",
		"openid", "userName", "loginStatus", "token", "messageId", "users", "groupId", "signal", "conversations", "pending", "unknown",
	}
	needs := map[string]string{
		`1`: `"toMessageId":"b","message":"hi"`, `"1"`: ``, `15`: `"msgid":"m"`, `7`: ``, `11`: ``, `"20"`: ``,
		`22`: `"token":"t"`, `23`: `"users":["a"]`, `27`: `"toMessageId":"b","signal":"typing"`, `25`: `"conversationId":"` + conv1 + `","seq":7`, `28`: ``, `30`: `"messageId":"` + msg2 + `"`, `2`: ``, `9`: ``, `null`: ``,
	}
	for typ, need := range needs {
		for _, value := range values {
			compare(t, []byte(fmt.Sprintf(`{"type":%s,"params":%s,"id":1}`, typ, value)))
			compare(t, []byte(fmt.Sprintf(`{"id":%s,"type":%s,"params":{%s}}`, value, typ, need)))
			compare(t, []byte(fmt.Sprintf(`{"type":%s,"params":{%s}}`, value, need)))
			for _, field := range fields {
				compare(t, []byte(fmt.Sprintf(`{"type":%s,"params":{"%s":%s}}`, typ, field, value)))
				if need != "" {
					compare(t, []byte(fmt.Sprintf(`{"params":{%s,"%s":%s},"id":"x","type":%s}`, need, field, value, typ)))
				}
			}
		}
	}
}
