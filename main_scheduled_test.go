package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const keyOfShop = "shop-key-0123456789"

// asShop is a program that shop may send with, on a ledger that others were on before.
func asShop(dir string) []string {
	return []string{
		"YANLINK_STORE_DIR=" + dir, "YANLINK_MESSAGES_UNKNOWNUSERS=store",
		`YANLINK_AUTH_SERVICEKEYS=[{"name":"shop","key":"` + keyOfShop + `","scopes":["send"]}]`,
	}
}

// call makes a call that has to succeed, with shop's key where no token is given.
func (r *running) call(t *testing.T, method, path, token, body string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, bytes.NewBufferString(body))
	require.NoError(t, err)
	if token == "" {
		request.Header.Set("X-API-Key", keyOfShop)
	} else {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, string(text))
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer))
	return answer
}

func (r *running) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, r.cmd.Process.Kill())
	_ = r.cmd.Wait()
}

// TestProgram_ScheduledOutlivesIt kills the program while a message waits, and after it was sent: it is sent once.
func TestProgram_ScheduledOutlivesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	p := launch(t, asShop(dir)...)
	const message = `{"from":"ann","to":"ben","message":"later","msgid":"m1","delaySeconds":1}`
	sent := time.Now()
	first := p.call(t, http.MethodPost, "api/v1/messages", "", message)["results"].([]any)[0].(map[string]any)
	require.Equal(t, "scheduled", first["status"])
	p.kill(t)
	for range 2 {
		p = launch(t, asShop(dir)...)
		token := p.call(t, http.MethodPost, "dev/login", "", `{"openid":"ben","userName":"Ben"}`)["token"].(string)
		var found map[string]any
		require.Eventually(t, func() bool { // a repeat of the send would have it sent even if it was forgotten
			found = p.call(t, http.MethodGet, "api/v1/conversations?with=ann", token, "")["items"].([]any)[0].(map[string]any)
			return found["lastMessage"] != nil
		}, 30*time.Second, 10*time.Millisecond)
		t.Log("there after", time.Since(sent))
		require.Equal(t, "later", found["lastMessage"].(map[string]any)["message"])
		again := p.call(t, http.MethodPost, "api/v1/messages", "", message)["results"].([]any)[0].(map[string]any)
		require.Equal(t, []any{"duplicate", 1.0}, []any{again["status"], again["seq"]})
		found = p.call(t, http.MethodGet, "api/v1/conversations?with=ann", token, "")["items"].([]any)[0].(map[string]any)
		require.InDelta(t, 1, found["lastSeq"], 0)
		p.kill(t)
	}
}

// TestProgram_ScheduledInTime: a delayed message is sent within a second of its time, never before it. The median counts: a busy machine may hold one up.
func TestProgram_ScheduledInTime(t *testing.T) {
	p := launch(t, asShop(filepath.Join(t.TempDir(), "ledger"))...)
	const messages = 9
	type bounds struct{ earliest, latest time.Time } // of when a message is due: it was accepted somewhere between
	due := make(map[string]bounds, messages)
	for i := range messages {
		name := fmt.Sprint("m", i)
		delay := time.Duration(1+i%2) * time.Second
		before := time.Now().Truncate(time.Millisecond)
		sent := p.call(t, http.MethodPost, "api/v1/messages", "", fmt.Sprintf(
			`{"from":"ann","to":"ben","message":"later","msgid":%q,"delaySeconds":%d}`, name, 1+i%2))["results"].([]any)[0].(map[string]any)
		require.Equal(t, "scheduled", sent["status"])
		due[name] = bounds{before.Add(delay), time.Now().Add(delay)}
		time.Sleep(130 * time.Millisecond) // so that they come due at different times within the second
	}
	token := p.call(t, http.MethodPost, "dev/login", "", `{"openid":"ben","userName":"Ben"}`)["token"].(string)
	var history []any
	require.Eventually(t, func() bool {
		list := p.call(t, http.MethodGet, "api/v1/conversations?with=ann", token, "")["items"].([]any)
		id, ok := list[0].(map[string]any)["conversationId"].(string)
		if ok {
			history = p.call(t, http.MethodGet, "api/v1/conversations/"+id+"/messages", token, "")["items"].([]any)
		}
		return len(history) == messages
	}, 30*time.Second, 50*time.Millisecond)
	var late []time.Duration
	for _, item := range history {
		message := item.(map[string]any)
		at := time.UnixMilli(int64(message["at"].(float64)))
		want := due[message["msgid"].(string)]
		require.False(t, at.Before(want.earliest), "%s was sent at %v, before %v", message["msgid"], at, want.earliest)
		late = append(late, at.Sub(want.latest))
	}
	slices.Sort(late)
	t.Log("sent after their time by", late[messages/2], "in the median,", late[messages-1], "at most")
	require.LessOrEqual(t, late[messages/2], time.Second)
}
