package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/ws"
)

// ticketOf returns a ticket for a token.
func ticketOf(t *testing.T, base, token string) string {
	t.Helper()
	status, body := call(t, http.MethodPost, base+"/api/v1/tickets", token, "")
	require.Equal(t, http.StatusOK, status, body)
	var answer struct {
		Token     string
		ExpiresIn int
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	require.Equal(t, 30, answer.ExpiresIn)
	return answer.Token
}

// spend tries to open sockets with one ticket at the same time, over several nodes, and returns how many opened.
func spend(t *testing.T, ticket string, bases ...string) (opened int32) {
	t.Helper()
	var count atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		url := "ws" + strings.TrimPrefix(bases[i%len(bases)], "http") + "/ws?device=~" + string(rune('a'+i)) + "&token=" + ticket
		all.Go(func() {
			conn, response, err := websocket.DefaultDialer.Dial(url, nil)
			switch {
			case err == nil:
				count.Add(1)
				_ = conn.Close()
			case response == nil || response.StatusCode != http.StatusUnauthorized:
				count.Add(100) // nothing but 401 is the right refusal
			}
		})
	}
	all.Wait()
	return count.Load()
}

func TestTickets(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	h := newHost(t, testConfig(t), app.WithAuthenticator(&users{}), app.WithClock(clock))
	ticket := ticketOf(t, h.base, "alice")
	require.EqualValues(t, 1, spend(t, ticket, h.base))
	require.NotContains(t, h.log.String(), ticket)

	late := ticketOf(t, h.base, "alice")
	ahead.Store(int64(30 * time.Second))
	require.Zero(t, spend(t, late, h.base))

	status, body := call(t, http.MethodGet, h.base+"/api/v1/me", ticketOf(t, h.base, "alice"), "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"openid":"alice"`)
}

// A session that came by a ticket lives as long as the token does.
func TestTickets_StandForTheirToken(t *testing.T) {
	cfg := testConfig(t)
	cfg.SSO.Recheck, cfg.SSO.CacheTTL, cfg.SSO.Grace = time.Second, time.Second, 0
	who := &users{}
	h := newHost(t, cfg, app.WithAuthenticator(who))
	conn := dial(t, h.base, ticketOf(t, h.base, "alice"))
	unused := ticketOf(t, h.base, "alice")
	who.fail(ws.ErrInvalidToken)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, _, err := conn.ReadMessage()
	require.True(t, websocket.IsCloseError(err, 4401), err)
	require.Zero(t, spend(t, unused, h.base))
}
