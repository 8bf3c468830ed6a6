package secrets_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws/wstest/secrets"
)

func TestCheck(t *testing.T) {
	harmless := []string{
		`time=1 level=INFO msg="the token cannot be checked now; the old one goes on"`,
		`time=1 level=INFO msg=request path=/ws status=101 user=alice`,
		`{"level":"WARN","msg":"a token is needed: Authorization: Bearer …","tokens":3}`,
		`level=INFO msg="sso.header is token"`, `token=`, `token="" x=1`,
	}
	for _, line := range []string{
		`[GIN] 101 | GET "/im/ws?v=1&token=alice"`,
		`level=INFO msg="renewed" token=abc`,
		`{"level":"INFO","msg":"renewed","token":"abc"}`,
		`level=INFO msg="{\"type\":22,\"params\":{\"token\":\"abc\"}}"`,
		`level=INFO header="Authorization: Bearer abc"`,
		`level=INFO protocol="yanlink.v1, yanlink.token.YWxpY2U"`,
		`level=INFO msg="checked eyJvcGVuaWQiOiJhbGljZSJ9.c2ln"`,
		`level=INFO msg="the text of the message"`,
	} {
		require.NoError(t, secrets.Check(strings.NewReader(strings.Join(harmless, "\n")), "the text"))
		err := secrets.Check(strings.NewReader(strings.Join(append(harmless, line), "\n")), "the text")
		require.ErrorContains(t, err, line)
		require.ErrorContains(t, err, "1 lines")
	}
}
