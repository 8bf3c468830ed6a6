package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestLife(t *testing.T) {
	d := openDoor(t, nil)
	sent := d.posted("ann", "ben", "hi", "m1")
	path := "/api/v1/messages/" + sent["messageId"].(string)
	life := d.get("ann", path)
	require.Equal(t, http.StatusOK, life.status, life.text)
	acceptedAt := utc(t, life.object["acceptedAt"])
	require.Equal(t, map[string]any{
		"messageId": sent["messageId"], "conversationId": sent["conversationId"], "seq": 1.0, "from": "ann",
		"acceptedAt": life.object["acceptedAt"], "node": "n1", "trigger": 1.0, "state": "stored",
		"recipients": []any{map[string]any{"openid": "ben", "state": "stored", "devices": []any{}}},
	}, life.object)

	ben := d.connect("ben", "web")
	ben.expect(2)
	ben.acknowledge("m1", "ann")
	life = d.get("ben", path)
	require.Equal(t, "delivered", life.object["state"])
	recipient := objects(life.object["recipients"])[0]
	require.Equal(t, "delivered", recipient["state"])
	device := objects(recipient["devices"])[0]
	require.False(t, utc(t, device["acknowledgedAt"]).Before(acceptedAt))
	delete(device, "acknowledgedAt")
	require.Equal(t, map[string]any{"device": "web", "node": "n1", "pushes": 1.0}, device)
}

func TestLife_TriggerOfASocket(t *testing.T) {
	d := openDoor(t, nil)
	ann := d.connect("ann", "web")
	ann.write(map[string]any{"type": 1, "params": map[string]any{"toMessageId": "ben", "message": "hi"}})
	id := ann.expect(0)["messageId"].(string)
	require.InDelta(t, 2, d.get("ben", "/api/v1/messages/"+id).object["trigger"], 0)
}

func TestLife_WhoMay(t *testing.T) {
	d := openDoor(t, nil)
	id := d.posted("ann", "ben", "hi", "")["messageId"].(string)
	for _, who := range []string{"ann", "ben", "boss", "key-read", "key-admin"} {
		require.Equal(t, http.StatusOK, d.get(who, "/api/v1/messages/"+id).status, who)
	}
	d.get("eve", "/api/v1/messages/"+id).refused(t, 404, "not_found", "")
	d.get("key-send", "/api/v1/messages/"+id).refused(t, 403, "forbidden", "")
	d.get("ann", "/api/v1/messages/"+id[:16]+"00000000000000ff").refused(t, 404, "not_found", "")
	for _, bad := range []string{"1", strings.ToUpper(id[:31]) + "F", id + "0", strings.Repeat("0", 32)} {
		d.get("ann", "/api/v1/messages/"+bad).refused(t, 400, "bad_field", "messageId")
	}
}

func TestRecall(t *testing.T) {
	d := openDoor(t, nil)
	sent := d.posted("ann", "ben", "a slip", "m1")
	id := sent["messageId"].(string)
	path := "/api/v1/messages/" + id
	ben := d.connect("ben", "web")
	ben.expect(2)

	d.call("eve", http.MethodDelete, path, "").refused(t, 404, "not_found", "")
	d.call("ben", http.MethodDelete, path, "").refused(t, 403, "forbidden", "")
	d.call("key-send", http.MethodDelete, path, "").refused(t, 403, "forbidden", "")
	d.call("ann", http.MethodDelete, "/api/v1/messages/x", "").refused(t, 400, "bad_field", "messageId")
	require.Equal(t, "stored", d.get("ann", path).object["state"])
	for range 2 {
		a := d.call("ann", http.MethodDelete, path, "")
		require.Equal(t, http.StatusOK, a.status, a.text)
		require.Equal(t, map[string]any{"messageId": id, "state": "recalled"}, a.object)
	}
	require.Equal(t, "recalled", d.get("ann", path).object["state"])
	require.Equal(t, id, ben.expect(31)["recalled"])
}

func TestRecall_Admins(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) { o.RecallWindow = time.Nanosecond })
	for _, who := range []string{"boss", "key-admin"} {
		id := d.posted("ann", "ben", "too late", "")["messageId"].(string)
		a := d.call(who, http.MethodDelete, "/api/v1/messages/"+id, "")
		require.Equal(t, http.StatusOK, a.status, a.text)
	}
}

// utc asserts RFC 3339 in UTC.
func utc(t testing.TB, v any) time.Time {
	t.Helper()
	text, _ := v.(string)
	require.True(t, strings.HasSuffix(text, "Z"), "%v", v)
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}
