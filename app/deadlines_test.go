package app_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/ws/wstest"
)

// While the ledger does not answer, what only reads ends in its own time, and what writes has longer.
func TestBundle_QueryTimeout(t *testing.T) {
	cfg, store := testConfig(t), wstest.NewMemStore()
	cfg.Server.QueryTimeout = 100 * time.Millisecond
	h := newHost(t, cfg, app.WithAuthenticator(&users{}), app.WithStore(store))
	send := func() (int, string) {
		return call(t, http.MethodPost, h.base+"/api/v1/messages", "alice", `{"to":"bob","message":"hi"}`)
	}
	call(t, http.MethodGet, h.base+"/api/v1/me", "bob", "") // and is known
	status, text := send()
	require.Equal(t, http.StatusOK, status, text)
	var sent struct {
		Results []struct{ MessageID, ConversationID string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &sent))
	message := sent.Results[0]

	releaseReads, release := store.HoldReads(), store.Hold()
	defer releaseReads()
	defer release()
	over := make(chan int, 1)
	go func() {
		status, _ := send()
		over <- status
	}()
	for range 2 { // the first time the send may begin later
		for _, path := range []string{
			"/messages/" + message.MessageID, "/conversations", "/conversations/" + message.ConversationID + "/messages", "/presence?users=bob",
		} {
			response, text := exchange(t, http.MethodGet, h.base+"/api/v1"+path, "alice", "")
			require.Equal(t, http.StatusServiceUnavailable, response.StatusCode, text)
			require.Contains(t, text, `"storage_unavailable"`)
			require.NotEmpty(t, response.Header.Get("Retry-After"))
		}
	}
	select {
	case status := <-over:
		t.Fatalf("the send has ended, with %d, in the time that reads have", status)
	default:
	}
	releaseReads()
	release()
	require.Equal(t, http.StatusOK, <-over)
}

// No call has longer than server.callTimeout, whatever it does and whatever else is set.
func TestBundle_CallTimeout(t *testing.T) {
	cfg, store := testConfig(t), wstest.NewMemStore()
	cfg.Server.CallTimeout, cfg.Server.QueryTimeout, cfg.Ledger.CommitTimeout = time.Second, 10*time.Minute, 5*time.Minute
	h := newHost(t, cfg, app.WithAuthenticator(&users{}), app.WithStore(store))
	call(t, http.MethodGet, h.base+"/api/v1/me", "bob", "") // and is known
	defer store.HoldReads()()
	defer store.Hold()()
	for _, request := range []struct{ method, path, body string }{
		{http.MethodPost, "/messages", `{"to":"bob","message":"hi"}`}, {http.MethodGet, "/conversations", ""},
	} {
		ended := make(chan int, 1)
		go func() {
			status, _ := call(t, request.method, h.base+"/api/v1"+request.path, "bob", request.body)
			ended <- status
		}()
		select {
		case status := <-ended:
			require.Equal(t, http.StatusServiceUnavailable, status, request.path)
		case <-time.After(30 * time.Second):
			t.Fatal(request.path + " goes on")
		}
	}
}
