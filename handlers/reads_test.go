package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestMarkRead(t *testing.T) {
	d := openDoor(t, nil)
	first := d.posted("ann", "ben", "one", "")
	second := d.posted("ann", "ben", "two", "")
	id := first["conversationId"].(string)
	ann := d.connect("ann", "web")
	before := time.Now().Truncate(time.Second)

	mark := func(body string) answer {
		return d.call("ben", http.MethodPost, "/api/v1/conversations/"+id+"/read", body)
	}
	done := mark(`{"seq":1}`)
	require.Equal(t, http.StatusOK, done.status, done.text)
	require.Equal(t, map[string]any{"conversationId": id, "readSeq": 1.0}, done.object)
	told := ann.expect(26)
	require.Equal(t, map[string]any{"conversationId": id, "seq": 1.0, "user": "ben"}, told)

	view := d.get("ben", "/api/v1/conversations?with=ann").items()[0]
	require.InDelta(t, 1, view["readSeq"], 0)
	require.InDelta(t, 0, view["peerReadSeq"], 0)
	require.InDelta(t, 1, view["unread"], 0)
	view = d.get("ann", "/api/v1/conversations").items()[0]
	require.InDelta(t, 0, view["readSeq"], 0)
	require.InDelta(t, 1, view["peerReadSeq"], 0)

	life := d.get("ann", "/api/v1/messages/"+first["messageId"].(string)).object
	require.Equal(t, "read", life["state"])
	recipient := objects(life["recipients"])[0]
	require.Equal(t, "read", recipient["state"])
	require.False(t, utc(t, recipient["readAt"]).Before(before))
	life = d.get("ann", "/api/v1/messages/"+second["messageId"].(string)).object
	require.Equal(t, "stored", life["state"])
	require.NotContains(t, objects(life["recipients"])[0], "readAt")

	require.InDelta(t, 2, mark(`{"seq":2}`).object["readSeq"], 0)
	require.InDelta(t, 2, mark(`{"seq":1}`).object["readSeq"], 0, "it never goes back")
	require.InDelta(t, 0, d.get("ben", "/api/v1/conversations?with=ann").items()[0]["unread"], 0)
}

func TestMarkRead_Refused(t *testing.T) {
	d := openDoor(t, nil)
	path := "/api/v1/conversations/" + d.posted("ann", "ben", "hi", "")["conversationId"].(string) + "/read"
	post := func(who, path, body string) answer { return d.call(who, http.MethodPost, path, body) }
	post("eve", path, `{"seq":1}`).refused(t, 403, "not_member", "")
	post("ben", "/api/v1/conversations/00000000000000ff/read", `{"seq":1}`).refused(t, 403, "not_member", "")
	post("ben", "/api/v1/conversations/7/read", `{"seq":1}`).refused(t, 400, "bad_field", "conversationId")
	post("ben", path, `{}`).refused(t, 400, "missing_field", "seq")
	for _, seq := range []string{"0", "-1", `"1"`, "1.5", "2", "9007199254740993"} {
		post("ben", path, `{"seq":`+seq+`}`).refused(t, 400, "bad_field", "seq")
	}
	d.store.FailCommits(ws.ErrUnavailable)
	post("ben", path, `{"seq":1}`).refused(t, 503, "storage_unavailable", "")
	d.store.FailCommits(nil)
}
