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
