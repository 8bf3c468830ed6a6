package openapitest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hold holds a request and its answer against the description.
func hold(t *testing.T, method, target, sent string, status int, got string, header ...string) (request, answer error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+target, strings.NewReader(sent))
	require.NoError(t, err)
	if sent != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer token")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	e, err := load(t).find(r)
	require.NoError(t, err)
	response := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}}
	return e.validRequest(t.Context(), []byte(sent)), e.validAnswer(t.Context(), response, []byte(got))
}

const history = "/api/v1/conversations/0000000000000001/messages"

func TestValidAnswer(t *testing.T) {
	const valid = `{"items":[{"openid":"ann","status":"online","devices":["web"],"since":"2026-01-02T03:04:05Z"}],"next":""}`
	answered := func(status int, text string) error {
		_, err := hold(t, http.MethodGet, "/api/v1/presence?users=ann", "", status, text)
		return err
	}
	require.NoError(t, answered(200, valid))
	for _, c := range []struct{ what, was, is string }{
		{"a field nobody described", `"devices"`, `"more":1,"devices"`},
		{"one beside the items", `"next"`, `"more":1,"next"`},
		{"a field is missing", `"status":"online",`, ""},
		{"another type", `["web"]`, `"web"`},
		{"one that is not among the described", `"online"`, `"asleep"`},
		{"no time", `"2026-01-02T03:04:05Z"`, `"yesterday"`},
	} {
		require.Contains(t, valid, c.was)
		require.Error(t, answered(200, strings.Replace(valid, c.was, c.is, 1)), c.what)
	}
	require.Error(t, answered(201, valid), "a status nobody described")
	require.NoError(t, answered(404, `{"error":{"code":"not_found","message":"x","requestId":"1"}}`))
	require.Error(t, answered(404, `{"error":{"code":"not_found","message":"x","requestId":"1","more":1}}`), "a field nobody described")
	require.Error(t, answered(404, valid), "no error")
	require.NoError(t, answered(304, ""))
	require.Error(t, answered(307, ""), "a status nobody described")
}

func TestValidRequest(t *testing.T) {
	ask := func(method, target, sent string, header ...string) error {
		err, _ := hold(t, method, target, sent, 500, "", header...)
		return err
	}
	require.NoError(t, ask(http.MethodGet, history+"?limit=5", ""))
	require.NoError(t, ask(http.MethodPost, "/api/v1/messages", `{"to":["ben"],"message":"hi","unknown":[1]}`))
	require.Error(t, ask(http.MethodGet, history+"?limit=0", ""), "a limit out of range")
	require.Error(t, ask(http.MethodGet, history+"?limits=5", ""), "a parameter nobody described")
	require.Error(t, ask(http.MethodGet, history, `{}`), "a body where none is")
	require.Error(t, ask(http.MethodGet, "/api/v1/conversations/1/messages", ""), "no id of a conversation")
	require.Error(t, ask(http.MethodPost, "/api/v1/messages", `{"to":["ben"],"message":"hi","more":1}`), "a field nobody described")
	require.Error(t, ask(http.MethodPost, "/api/v1/messages", `{"to":["ben"],"message":1}`), "a field of another type")
	require.Error(t, ask(http.MethodPost, "/api/v1/messages", ``), "no body")
	require.Error(t, ask(http.MethodGet, history, "", "Authorization", "Basic token"), "nobody asks")
	require.NoError(t, ask(http.MethodGet, history, "", "Authorization", "", "X-API-Key", "key"))
	require.Error(t, ask(http.MethodGet, history, "", "X-More", "1"), "a header nobody described")
	long := strings.Repeat("%E5%BC%A0", 42)
	require.NoError(t, ask(http.MethodDelete, "/api/v1/users/"+long+"/sessions", ""), "an openid as long as one may be")
	require.Error(t, ask(http.MethodDelete, "/api/v1/users/a%2Cb/sessions", ""), "no openid")
}

func TestFind_Nowhere(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/api/v1/nothing", nil)
	require.NoError(t, err)
	_, err = load(t).find(r)
	require.Error(t, err)
}
