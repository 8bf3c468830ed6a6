//go:build services

package failures

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
)

// place is what history says of one position.
type place struct {
	Seq       uint64 `json:"seq"`
	MessageID string `json:"messageId"`
	Kind      string `json:"kind"`
	MsgID     string `json:"msgid"`
}

// history reads a conversation page by page, from where query says to the end.
func (w *town) history(node *child.Server, user, conversation string, query url.Values, limit int) (found []place) {
	w.Helper()
	query.Set("limit", fmt.Sprint(limit))
	for {
		var page struct {
			Items []place `json:"items"`
			Next  string  `json:"next"`
		}
		path := "/api/v1/conversations/" + conversation + "/messages?" + query.Encode()
		require.Equal(w, http.StatusOK, w.call(node, user, http.MethodGet, path, nil, &page))
		require.LessOrEqual(w, len(page.Items), limit)
		found = append(found, page.Items...)
		if page.Next == "" {
			return found
		}
		query.Set("cursor", page.Next)
	}
}

// historyIs makes sure that a conversation holds these messages and nothing else, whichever way it is read, in pages of
// whatever size, from both ends and from each place in it.
func (w *town) historyIs(node *child.Server, user, conversation string, msgids ...string) {
	w.Helper()
	var whole []place
	for limit := 1; limit <= len(msgids)+1; limit++ {
		oldest := w.history(node, user, conversation, url.Values{"after": {"0"}}, limit)
		newest := w.history(node, user, conversation, url.Values{}, limit)
		slices.Reverse(newest)
		require.Equal(w, oldest, newest, "the same both ways, %d at a time", limit)
		require.True(w, whole == nil || slices.Equal(whole, oldest), "the same in pages of any size")
		whole = oldest
	}
	ids := map[string]bool{}
	var found []string
	for i, p := range whole {
		require.Equal(w, "message", p.Kind)
		require.True(w, i == 0 || whole[i-1].Seq < p.Seq)
		require.False(w, ids[p.MessageID], "%s stands there twice", p.MessageID)
		ids[p.MessageID] = true
		found = append(found, p.MsgID)
		above := w.history(node, user, conversation, url.Values{"after": {fmt.Sprint(p.Seq)}}, 2)
		require.True(w, slices.Equal(whole[i+1:], above), "above %d", p.Seq)
		if p.Seq > 1 {
			below := w.history(node, user, conversation, url.Values{"before": {fmt.Sprint(p.Seq)}}, 2)
			slices.Reverse(below)
			require.True(w, slices.Equal(whole[:i], below), "below %d", p.Seq)
		}
	}
	require.Equal(w, msgids, found)
}
