package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProgram_CursorOutlivesIt kills the program after each page of a history: the next one goes on where it was.
func TestProgram_CursorOutlivesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	p := launch(t, asShop(dir)...)
	var history string
	for i := range 3 {
		sent := p.call(t, http.MethodPost, "api/v1/messages", "", fmt.Sprintf(`{"from":"ann","to":"ben","message":"%d"}`, i))
		history = "api/v1/conversations/" + sent["results"].([]any)[0].(map[string]any)["conversationId"].(string) + "/messages?limit=1&after=0"
	}
	token := p.call(t, http.MethodPost, "dev/login", "", `{"openid":"ben","userName":"Ben"}`)["token"].(string)
	next := ""
	for i := range 3 {
		page := p.call(t, http.MethodGet, history+"&cursor="+next, token, "")
		require.Equal(t, fmt.Sprint(i), page["items"].([]any)[0].(map[string]any)["message"])
		next = page["next"].(string)
		p.kill(t)
		p = launch(t, asShop(dir)...)
	}
	require.Empty(t, next)
	p.kill(t)
}
