package handlers_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/ws"
)

func TestConversations(t *testing.T) {
	d := openDoor(t, nil)
	require.Equal(t, map[string]any{"items": []any{}, "next": ""}, d.get("ann", "/api/v1/conversations").object)
	first := d.posted("ann", "ben", "one", "m1")
	d.posted("ben", "ann", "two", "m2")
	d.posted("ann", "eve", "three", "")

	items := d.get("ann", "/api/v1/conversations").items()
	require.Len(t, items, 2)
	last := items[0]["lastMessage"].(map[string]any)
	require.InDelta(t, 1.7e12, last["at"], 1.7e12, "epoch ms")
	require.Equal(t, "two", last["message"])
	delete(items[0], "lastMessage")
	require.Equal(t, map[string]any{
		"conversationId": first["conversationId"], "kind": "direct", "peer": map[string]any{"openid": "ben", "userName": "Ben"},
		"lastSeq": 2.0, "readSeq": 0.0, "peerReadSeq": 0.0, "unread": 1.0,
	}, items[0])

	var peers []any
	for cursor := ""; ; {
		page := d.get("ann", "/api/v1/conversations?limit=1&cursor="+cursor)
		require.LessOrEqual(t, len(page.items()), 1)
		for _, item := range page.items() {
			peers = append(peers, item["peer"].(map[string]any)["openid"])
		}
		if cursor, _ = page.object["next"].(string); cursor == "" {
			break
		}
	}
	require.Equal(t, []any{"ben", "eve"}, peers)
}

func TestConversations_With(t *testing.T) {
	d := openDoor(t, nil)
	before := d.get("ann", "/api/v1/conversations?with=ben")
	require.Equal(t, []map[string]any{{
		"kind": "direct", "peer": map[string]any{"openid": "ben", "userName": "Ben"},
		"lastSeq": 0.0, "readSeq": 0.0, "peerReadSeq": 0.0, "unread": 0.0, "lastMessage": nil,
	}}, before.items(), "found before the first message too")
	sent := d.posted("ben", "ann", "hi", "")
	after := d.get("ann", "/api/v1/conversations?with=ben").items()
	require.Len(t, after, 1)
	require.Equal(t, sent["conversationId"], after[0]["conversationId"])
	d.get("ann", "/api/v1/conversations?with=nobody").refused(t, 404, "unknown_user", "with")
}

func TestConversations_Refused(t *testing.T) {
	d := openDoor(t, nil)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=201": "limit", "limit=-1": "limit", "limit=many": "limit", "limit=1e2": "limit",
		"cursor=1": "cursor", "with=": "with", "with=a,b": "with", "groupId=g": "groupId",
	} {
		d.get("ann", "/api/v1/conversations?"+query).refused(t, 400, "bad_field", field)
	}
	for _, who := range []string{"key-send", "key-read", "key-admin"} {
		a := d.get(who, "/api/v1/conversations")
		a.refused(t, 403, "forbidden", "")
		require.Contains(t, a.text, "service key")
	}
}

func TestHistory(t *testing.T) {
	d := openDoor(t, nil)
	var id string
	for i := range 5 {
		id = d.posted("ann", "ben", fmt.Sprint("text ", i+1), fmt.Sprint("m", i+1))["conversationId"].(string)
	}
	path := "/api/v1/conversations/" + id + "/messages"
	all := d.get("ben", path)
	require.Equal(t, []float64{5, 4, 3, 2, 1}, seqs(all), "the newest first")
	require.Empty(t, all.object["next"])
	oldest := all.items()[4]
	require.InDelta(t, 1.7e12, oldest["at"], 1.7e12, "epoch ms")
	delete(oldest, "at")
	require.Equal(t, map[string]any{
		"seq": 1.0, "messageId": id + "0000000000000001", "kind": "message", "from": map[string]any{"openid": "ann", "userName": "Ann"},
		"message": "text 1", "fileType": "0", "msgid": "m1",
	}, oldest)

	for query, want := range map[string][]float64{
		"before=4": {3, 2, 1}, "before=4&limit=2": {3, 2}, "before=4503599627370496&limit=1": {5}, "before=1": {},
		"after=3": {4, 5}, "after=0": {1, 2, 3, 4, 5}, "after=0&limit=2": {1, 2}, "after=5": {}, "limit=200": {5, 4, 3, 2, 1},
	} {
		require.Equal(t, want, seqs(d.get("ben", path+"?"+query)), query)
	}
	require.Equal(t, []float64{5, 4, 3, 2, 1}, walk(t, d, path, "limit=2"))
	require.Equal(t, []float64{3, 2, 1}, walk(t, d, path, "limit=1&before=4"))
	require.Equal(t, []float64{1, 2, 3, 4, 5}, walk(t, d, path, "limit=2&after=0"))
}

// walk follows next to the end.
func walk(t testing.TB, d *door, path, query string) []float64 {
	t.Helper()
	var all []float64
	for cursor := ""; ; {
		page := d.get("ben", path+"?"+query+"&cursor="+cursor)
		require.Equal(t, http.StatusOK, page.status, page.text)
		all = append(all, seqs(page)...)
		if cursor, _ = page.object["next"].(string); cursor == "" {
			return all
		}
	}
}

func seqs(a answer) []float64 {
	all := []float64{}
	for _, item := range a.items() {
		all = append(all, item["seq"].(float64))
	}
	return all
}

func TestHistory_PassedOver(t *testing.T) {
	d := openDoor(t, nil)
	sent := d.posted("ann", "ben", "a slip", "m1")
	require.Equal(t, http.StatusOK, d.call("ann", http.MethodDelete, "/api/v1/messages/"+sent["messageId"].(string), "").status)
	items := d.get("ben", "/api/v1/conversations/"+sent["conversationId"].(string)+"/messages?after=0").items()
	require.Len(t, items, 2)
	require.InDelta(t, 1, items[0]["seq"], 0)
	require.Equal(t, "recalled", items[0]["kind"])
	require.NotContains(t, items[0], "message")
	require.Equal(t, map[string]any{"seq": 2.0, "kind": "recall"}, items[1])
}

func TestHistory_WhoMay(t *testing.T) {
	d := openDoor(t, nil)
	path := "/api/v1/conversations/" + d.posted("ann", "ben", "hi", "")["conversationId"].(string) + "/messages"
	for _, who := range []string{"ann", "ben", "boss", "key-read", "key-admin"} {
		require.Equal(t, []float64{1}, seqs(d.get(who, path)), who)
	}
	d.get("eve", path).refused(t, 404, "not_found", "")
	d.get("key-send", path).refused(t, 403, "forbidden", "")
	d.get("ann", "/api/v1/conversations/00000000000000ff/messages").refused(t, 404, "not_found", "")
	d.get("ann", "/api/v1/conversations/7/messages").refused(t, 400, "bad_field", "conversationId")
	for query, field := range map[string]string{
		"before=x": "before", "before=0": "before", "before=-1": "before", "after=x": "after", "after=9007199254740993": "after",
		"before=1&after=1": "after", "limit=0": "limit", "cursor=x": "cursor",
	} {
		d.get("ann", path+"?"+query).refused(t, 400, "bad_field", field)
	}
}

func TestErrors_AreSeenByTheLog(t *testing.T) {
	d := openDoor(t, nil)
	d.store.FailReads(errors.New("page 7 is torn"))
	var seen []error
	router := gin.New()
	router.Use(func(c *gin.Context) {
		c.Next()
		for _, e := range c.Errors {
			seen = append(seen, e.Err)
		}
	})
	handlers.New(d.gateway, handlers.Options{}).Mount(router, authenticate, d.counts)
	req := httptest.NewRequest(http.MethodGet, "/api/v1/conversations", http.NoBody)
	req.Header.Set("Authorization", "Bearer ann")
	w := httptest.NewRecorder()
	router.ServeHTTP(w, req)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Len(t, seen, 1)
	require.ErrorContains(t, seen[0], "page 7 is torn")
}

func TestReads_LedgerGone(t *testing.T) {
	d := openDoor(t, nil)
	id := d.posted("ann", "ben", "hi", "")["messageId"].(string)
	d.store.FailReads(ws.ErrUnavailable)
	for _, path := range []string{"messages/" + id, "conversations", "conversations?with=ben", "conversations/" + id[:16] + "/messages", "presence?users=ben"} {
		d.get("ann", "/api/v1/"+path).refused(t, 503, "storage_unavailable", "")
	}
	d.store.FailReads(fmt.Errorf("page 7 of /var/lib/ledger: %s", strings.Repeat("?", 9)))
	a := d.get("ann", "/api/v1/messages/"+id)
	a.refused(t, 500, "internal", "")
	require.NotContains(t, a.text, "ledger", "an internal text never reaches a client")
}
