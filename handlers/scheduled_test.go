package handlers_test

import (
	"encoding/base64"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// shifted is a clock that can be put forward.
type shifted struct{ ahead atomic.Int64 }

func (s *shifted) now() time.Time       { return time.Now().Add(time.Duration(s.ahead.Load())) }
func (s *shifted) put(by time.Duration) { s.ahead.Add(int64(by)) }

// openLater is a door whose clock can be put forward.
func openLater(t testing.TB) (*door, *shifted) {
	t.Helper()
	clock := &shifted{}
	return openDoor(t, func(o *ws.Options) { o.Clock = clock.now }), clock
}

// scheduled sends a message that has to wait, and returns its scheduledId.
func (d *door) scheduled(who, body string) string {
	d.t.Helper()
	a := d.post(who, body)
	require.Equal(d.t, http.StatusOK, a.status, a.text)
	result := a.results()[0]
	require.Equal(d.t, "scheduled", result["status"])
	require.NotContains(d.t, result, "messageId")
	return result["scheduledId"].(string)
}

func (d *door) cancel(who, id string) answer {
	d.t.Helper()
	return d.call(who, http.MethodDelete, "/api/v1/scheduled/"+id, "")
}

func TestScheduled_IsSent(t *testing.T) {
	d, clock := openLater(t)
	ben := d.connect("ben", "web")
	const body = `{"to":"ben","message":"later","msgid":"m1","delaySeconds":600}`
	id := d.scheduled("ann", body)
	require.Equal(t, id, d.scheduled("ann", body), "a repeat answers the same")
	require.Equal(t, id, d.scheduled("ann", `{"to":"ben","message":"later","msgid":"m1"}`), "however it is repeated")
	d.post("ann", `{"to":"ben","message":"other","msgid":"m1","delaySeconds":600}`).refused(t, 409, "conflict", "")
	d.posted("ann", "ben", "at once", "m2")
	require.Equal(t, "at once", ben.expect(2)["message"])

	clock.put(10 * time.Minute)
	shown := ben.expect(2)
	require.Equal(t, "later", shown["message"])
	require.Equal(t, "m1", shown["msgid"])
	again := d.post("ann", body).results()[0]
	require.Equal(t, []any{"duplicate", 2.0, shown["conversationId"]}, []any{again["status"], again["seq"], again["conversationId"]})
	d.cancel("ann", id).refused(t, 409, "conflict", "")
	d.cancel("ben", id).refused(t, 404, "not_found", "")
	require.Len(t, d.get("ben", "/api/v1/conversations/"+shown["conversationId"].(string)+"/messages").items(), 2)
}

// A delayed message that was given no msgid gets one: it is known by that once it was sent.
func TestScheduled_WithoutMsgID(t *testing.T) {
	d, clock := openLater(t)
	ben := d.connect("ben", "web")
	const body = `{"to":["ben"],"message":"later","delaySeconds":60}`
	first, second := d.scheduled("ann", body), d.scheduled("ann", body)
	require.NotEqual(t, first, second)
	require.Equal(t, "cancelled", d.cancel("ann", second).object["state"])
	clock.put(time.Minute)
	require.Equal(t, "later", ben.expect(2)["message"])
	d.cancel("ann", first).refused(t, 409, "conflict", "")
	d.cancel("ann", second).refused(t, 404, "not_found", "")
}

func TestScheduled_Cancel(t *testing.T) {
	d, clock := openLater(t)
	ben := d.connect("ben", "web")
	id := d.scheduled("ann", `{"to":"ben","message":"never","msgid":"m1","delaySeconds":60}`)
	d.cancel("ben", id).refused(t, 404, "not_found", "")
	d.cancel("key-read", id).refused(t, 403, "forbidden", "")
	forged := base64.RawURLEncoding.EncodeToString([]byte("\x00\x00\x00\x00\x00\x00\x00\x01eve,ben,m1"))
	d.cancel("eve", forged).refused(t, 404, "not_found", "")
	for _, bad := range []string{"x", "0000000000000001", base64.RawURLEncoding.EncodeToString([]byte("12345678ann,ben"))} {
		d.cancel("ann", bad).refused(t, 400, "bad_field", "scheduledId")
	}
	require.Equal(t, map[string]any{"scheduledId": id, "state": "cancelled"}, d.cancel("ann", id).object)
	d.cancel("ann", id).refused(t, 404, "not_found", "")
	d.post("ann", `{"to":"ben","message":"never","msgid":"m1"}`).refused(t, 409, "conflict", "")
	d.post("ann", `{"to":"ben","message":"never","msgid":"m1","delaySeconds":60}`).refused(t, 409, "conflict", "")

	kept := d.scheduled("key-send", `{"to":"ben","message":"once","from":"ann","delaySeconds":60}`)
	require.Equal(t, 200, d.cancel("key-send", d.scheduled("ann", `{"to":"ben","message":"no","delaySeconds":60}`)).status)
	clock.put(time.Minute)
	require.Equal(t, "once", ben.expect(2)["message"], "nothing came before it")
	d.cancel("key-send", kept).refused(t, 409, "conflict", "")
}

// A socket has no answer for a message that waits.
func TestScheduled_RepeatedOverASocket(t *testing.T) {
	d, _ := openLater(t)
	ann := d.connect("ann", "web")
	id := d.scheduled("ann", `{"to":"ben","message":"later","msgid":"m1","delaySeconds":60}`)
	repeat := map[string]any{"type": 1, "params": map[string]any{"toMessageId": "ben", "message": "later", "fileType": 0, "msgid": "m1"}}
	for range 2 {
		ann.write(repeat)
		require.Equal(t, "conflict", ann.expect(500)["code"])
		d.cancel("ann", id)
	}
}

// Who may not send any more when the time has come does not.
func TestScheduled_BannedMeanwhile(t *testing.T) {
	d, clock := openLater(t)
	ben := d.connect("ben", "web")
	const body = `{"to":"ben","message":"never","msgid":"m1","delaySeconds":60}`
	id := d.scheduled("ann", body)
	require.Equal(t, 200, d.call("boss", http.MethodPut, "/api/v1/users/ann/ban", "").status)
	clock.put(time.Minute)
	require.Eventually(t, func() bool { return d.cancel("key-send", id).status == http.StatusNotFound }, patience, time.Millisecond)
	d.post("ann", body).refused(t, 409, "conflict", "")
	d.posted("eve", "ben", "hi", "")
	require.Equal(t, "hi", ben.expect(2)["message"], "nothing came before it")
}

func TestScheduled_Off(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) { o.MaxDelay = -1 })
	d.post("ann", `{"to":"ben","message":"hi","delaySeconds":1}`).refused(t, 400, "bad_field", "delaySeconds")
	d.posted("ann", "ben", "hi", "")
}

// What a message's ttl counts from is its sending; once it is over nobody sees the message any more.
func TestSend_Expires(t *testing.T) {
	d, clock := openLater(t)
	d.scheduled("ann", `{"to":"ben","message":"an offer","msgid":"m1","delaySeconds":60,"ttlSeconds":60}`)
	clock.put(time.Minute)
	ben := d.connect("ben", "web")
	shown := ben.expect(2)
	history := "/api/v1/conversations/" + shown["conversationId"].(string) + "/messages"
	require.Equal(t, "an offer", d.get("ben", history).items()[0]["message"])

	clock.put(time.Minute)
	expired := d.get("ben", history).items()
	require.Len(t, expired, 1)
	require.Equal(t, []any{"expired", 1.0}, []any{expired[0]["kind"], expired[0]["seq"]})
	require.NotContains(t, expired[0], "message")
	phone := d.connect("ben", "phone")
	d.posted("ann", "ben", "hi", "m2")
	require.Equal(t, "hi", phone.expect(2)["message"], "nothing came before it")
	require.InDelta(t, 1, d.get("ben", "/api/v1/conversations").items()[0]["unread"], 0)
}
