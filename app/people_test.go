package app_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

// peopleConfig lets a support program in that may do everything.
func peopleConfig(t *testing.T) *configs.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Auth.ServiceKeys = []configs.ServiceKey{{Name: "support", Key: supportKey, Scopes: []string{"admin", "send"}}}
	return cfg
}

const supportKey = "support-key-0123456"

// support makes a call with the service key.
func support(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	return call(t, method, url, "", body, "X-API-Key", supportKey)
}

// closes reads to the end of a connection, as a client does that answers a close at once, and then tells its code.
func closes(conn *websocket.Conn) <-chan int {
	code := make(chan int, 1)
	go func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				end := &websocket.CloseError{}
				errors.As(err, &end)
				code <- end.Code
				return
			}
		}
	}()
	return code
}

// becomes waits for a status that a call to /me has from some moment on, and returns how long that took.
func becomes(t *testing.T, status int, base, token string) time.Duration {
	t.Helper()
	began := time.Now()
	require.Eventually(t, func() bool {
		got, _ := call(t, http.MethodGet, base+"/api/v1/me", token, "")
		return got == status
	}, patience, 20*time.Millisecond)
	return time.Since(began)
}

// TestBundle_Revoke ends tokens that are remembered as good ones.
func TestBundle_Revoke(t *testing.T) {
	h := newHost(t, peopleConfig(t), app.WithAuthenticator(&users{}))
	code := closes(dial(t, h.base, "alice"))
	status, body := support(t, http.MethodDelete, h.base+"/api/v1/users/alice/sessions?revoke=true", "")
	require.Equal(t, 200, status, body)
	require.Equal(t, 4401, <-code)
	t.Log("refused after", becomes(t, 401, h.base, "alice"))
	require.Equal(t, 401, upgradeStatus(t, h.base, "alice", ""))
	dial(t, h.base, "alicia")
}

// TestBundle_Ban refuses somebody whose token is remembered as a good one.
func TestBundle_Ban(t *testing.T) {
	h := newHost(t, peopleConfig(t), app.WithAuthenticator(&users{}))
	code := closes(dial(t, h.base, "alice"))
	status, body := support(t, http.MethodPut, h.base+"/api/v1/users/alice/ban", "")
	require.Equal(t, 200, status, body)
	require.Equal(t, 4403, <-code)
	require.Equal(t, 403, upgradeStatus(t, h.base, "alice", ""), "at once: a connect writes to the ledger")
	t.Log("refused after", becomes(t, 403, h.base, "alice"))
}
