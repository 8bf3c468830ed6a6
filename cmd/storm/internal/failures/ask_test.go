//go:build services

package failures

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
)

// call asks a node by REST and returns the status and, unless answer is nil, what it said.
func (w *town) call(node *child.Server, user, method, path string, body, answer any) int {
	w.Helper()
	data, err := json.Marshal(body)
	require.NoError(w, err)
	req, err := http.NewRequestWithContext(w.Context(), method, node.URL()+path, bytes.NewReader(data))
	require.NoError(w, err)
	req.Header.Set("Authorization", "Bearer "+w.sso.Token(user))
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	require.NoError(w, err)
	defer resp.Body.Close()
	if answer != nil {
		require.NoError(w, json.NewDecoder(resp.Body).Decode(answer), "%s %s: %s", method, path, resp.Status)
	}
	return resp.StatusCode
}

// health is what /readyz says, as far as the tests look at it.
type health struct {
	Status       string            `json:"status"`
	Dependencies map[string]string `json:"dependencies"`
}

func (w *town) health(node *child.Server) (h health) {
	w.Helper()
	require.Equal(w, http.StatusOK, w.call(node, "nobody", http.MethodGet, "/readyz", nil, &h))
	return h
}

// ok waits until a node finds everything it stands on.
func (w *town) ok(node *child.Server) {
	w.Helper()
	w.eventually("everything answers", func() bool { return w.health(node).Status == "ok" })
}

// degraded waits until a node misses something.
func (w *town) degraded(node *child.Server, dependency string) {
	w.Helper()
	w.eventually("the node is degraded", func() bool {
		h := w.health(node)
		return h.Status == "degraded" && h.Dependencies[dependency] != "ok"
	})
}

// presence is the status that a node gives of a user.
func (w *town) presence(node *child.Server, user string) string {
	w.Helper()
	var answer struct {
		Items []struct {
			Status string `json:"status"`
		} `json:"items"`
	}
	require.Equal(w, http.StatusOK, w.call(node, user, http.MethodGet, "/api/v1/presence?users="+user, nil, &answer))
	require.Len(w, answer.Items, 1)
	return answer.Items[0].Status
}

// becomes waits until a node gives a user that status, and logs how long that took.
func (w *town) becomes(node *child.Server, user, status string) {
	w.Helper()
	began := time.Now()
	w.eventually("presence of "+user+" is "+status, func() bool { return w.presence(node, user) == status })
	w.Logf("presence of %s was %s after %v", user, status, time.Since(began).Round(time.Millisecond))
}

func (w *town) eventually(what string, holds func() bool) {
	w.Helper()
	require.Eventually(w, holds, patience, 20*time.Millisecond, what)
}
