package handlers_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// poll asks for what it had, and returns the status, the tag and the body's length.
func (d *door) poll(who, path, had string) (status int, tag string, length int64) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.server.URL+path, http.NoBody)
	require.NoError(d.t, err)
	req.Header.Set("Authorization", "Bearer "+who)
	req.Header.Set("If-None-Match", had)
	resp, err := d.server.Client().Do(req)
	require.NoError(d.t, err)
	require.NoError(d.t, resp.Body.Close())
	require.Equal(d.t, "private, no-cache", resp.Header.Get("Cache-Control"))
	require.Contains(d.t, resp.Header.Get("Vary"), "Authorization")
	return resp.StatusCode, resp.Header.Get("ETag"), resp.ContentLength
}

// A poller is sent what it has not got.
func TestPolled(t *testing.T) {
	d := openDoor(t, nil)
	d.posted("ann", "ben", "one", "")
	for path, change := range map[string]func(){
		"/api/v1/conversations":          func() { d.posted("ann", "ben", "two", "") },
		"/api/v1/conversations?with=ann": func() { d.posted("ann", "ben", "three", "") },
		"/api/v1/presence?users=ann,eve": func() { d.connect("eve", "web") },
	} {
		status, tag, length := d.poll("ben", path, "")
		require.Equal(t, 200, status)
		require.Regexp(t, `^"[0-9a-f]{24}"$`, tag)
		require.Positive(t, length)
		for _, had := range []string{tag, `"x", ` + tag, "W/" + tag, "*"} {
			status, again, length := d.poll("ben", path, had)
			require.Equal(t, []any{304, tag, int64(0)}, []any{status, again, max(0, length)}, path)
		}
		change()
		status, other, _ := d.poll("ben", path, tag)
		require.Equal(t, 200, status, path)
		require.NotEqual(t, tag, other)
	}
}

// A cursor is a place, not a permission: whoever comes by another one's sees what is theirs.
func TestCursor_OfSomebodyElse(t *testing.T) {
	d := openDoor(t, nil)
	first := d.posted("ann", "ben", "one", "")
	d.posted("ann", "ben", "two", "")
	d.posted("ann", "eve", "three", "")
	next := d.get("ann", "/api/v1/conversations?limit=1").object["next"].(string)
	require.NotEmpty(t, next)
	require.Empty(t, d.get("boss", "/api/v1/conversations?cursor="+next).items())
	for _, item := range d.get("eve", "/api/v1/conversations?cursor="+next).items() {
		require.Equal(t, "ann", item["peer"].(map[string]any)["openid"])
		require.Equal(t, "three", item["lastMessage"].(map[string]any)["message"])
	}
	history := "/api/v1/conversations/" + first["conversationId"].(string) + "/messages?limit=1"
	next = d.get("ann", history).object["next"].(string)
	require.Equal(t, "one", d.get("ben", history+"&cursor="+next).items()[0]["message"])
	d.get("eve", history+"&cursor="+next).refused(t, 404, "not_found", "")
	for _, forged := range []string{"b0", "b-1", "b1x", "a18446744073709551615", "%00", "ab", next + next} {
		d.get("ann", history+"&cursor="+forged).refused(t, 400, "bad_field", "cursor")
	}
	for _, forged := range []string{"7", "g000000000000001", "00000000000000012", "b2"} {
		d.get("ann", "/api/v1/conversations?cursor="+forged).refused(t, 400, "bad_field", "cursor")
	}
}
