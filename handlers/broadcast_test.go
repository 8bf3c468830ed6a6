package handlers_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func (d *door) broadcast(who, body string, header ...string) answer {
	d.t.Helper()
	return d.call(who, http.MethodPost, "/api/v1/broadcast", body, header...)
}

// counts are users, accepted, duplicates and refused.
func (a answer) counts(t testing.TB) [4]float64 {
	t.Helper()
	require.Equal(t, http.StatusOK, a.status, a.text)
	return [4]float64{a.object["users"].(float64), a.object["accepted"].(float64), a.object["duplicates"].(float64), a.object["refused"].(float64)}
}

// Everybody who is known gets it, whoever is there now, and nobody who becomes known later.
func TestBroadcast_Everybody(t *testing.T) {
	d := openDoor(t, nil)
	ben := d.connect("ben", "web")
	a := d.broadcast("key-send", `{"message":"all of you","msgid":"b1","fileType":1}`)
	require.Equal(t, [4]float64{4, 4, 0, 0}, a.counts(t))
	shown := ben.expect(2)
	require.Equal(t, []any{"all of you", "1", "b1", a.object["conversationId"]}, []any{shown["message"], shown["fileType"], shown["msgid"], shown["conversationId"]})
	require.Equal(t, "system:yanlink", shown["fromUser"].(map[string]any)["openid"])
	require.Equal(t, "ben", shown["toUser"].(map[string]any)["openid"])
	ben.acknowledge("b1", "system:yanlink")

	for _, again := range []answer{
		d.broadcast("key-send", `{"message":"all of you","msgid":"b1","fileType":1}`),
		d.broadcast("key-admin", `{"message":"all of you","fileType":1}`, "Idempotency-Key", "b1"),
	} {
		require.Equal(t, [4]float64{5, 0, 5, 0}, again.counts(t), "its sender is known since")
		require.Equal(t, a.object["messageId"], again.object["messageId"])
	}
	d.broadcast("key-send", `{"message":"other","msgid":"b1"}`).refused(t, 409, "conflict", "")

	late := d.connectAs(ws.Identity{OpenID: "late"}, "web")
	require.Equal(t, "all of you", d.connect("ann", "web").expect(2)["message"], "who was away gets it too")
	d.posted("ann", "late", "welcome", "")
	require.Equal(t, "welcome", late.expect(2)["message"], "nothing came before it")

	life := d.get("key-read", "/api/v1/messages/"+a.object["messageId"].(string))
	require.Equal(t, []any{"stored", []any{}}, []any{life.object["state"], life.object["recipients"]})
	list := d.get("ben", "/api/v1/conversations").items()
	require.Equal(t, []any{"system", 1.0}, []any{list[0]["kind"], list[0]["unread"]})
	require.Equal(t, 200, d.call("boss", http.MethodDelete, "/api/v1/messages/"+a.object["messageId"].(string), "").status)
	require.Equal(t, a.object["messageId"], ben.expect(31)["recalled"])
}

// Who is online gets a message of their own, and who is not gets nothing.
func TestBroadcast_OnlineOnly(t *testing.T) {
	d := openDoor(t, nil)
	ben, phone := d.connect("ben", "web"), d.connect("ben", "phone")
	const body = `{"message":"you there","msgid":"b1","onlineOnly":true}`
	a := d.broadcast("boss", body)
	require.Equal(t, [4]float64{1, 1, 0, 0}, a.counts(t))
	require.NotContains(t, a.object, "messageId")
	for _, s := range []*socket{ben, phone} {
		shown := s.expect(2)
		require.Equal(t, "you there", shown["message"])
		require.Equal(t, "boss", shown["fromUser"].(map[string]any)["openid"])
	}
	ann := d.connect("ann", "web")
	require.Equal(t, [4]float64{2, 1, 1, 0}, d.broadcast("boss", body).counts(t), "it goes on with whom it has not reached")
	require.Equal(t, "you there", ann.expect(2)["message"])
	require.Empty(t, d.get("eve", "/api/v1/conversations").items())
	require.Equal(t, [4]float64{2, 0, 0, 2}, d.broadcast("boss", `{"message":"other","msgid":"b1","onlineOnly":true}`).counts(t))
}

func TestBroadcast_BadInput(t *testing.T) {
	d := openDoor(t, nil)
	for name, c := range map[string]struct {
		who, body   string
		status      int
		code, field string
	}{
		"NoMessage":   {"boss", `{}`, 400, "missing_field", "message"},
		"To":          {"boss", `{"message":"x","to":["ben"]}`, 400, "bad_field", "to"},
		"Group":       {"boss", `{"message":"x","groupId":"g"}`, 400, "bad_field", "groupId"},
		"Delay":       {"boss", `{"message":"x","delaySeconds":1}`, 400, "bad_field", "delaySeconds"},
		"DelayOnline": {"boss", `{"message":"x","delaySeconds":1,"onlineOnly":true}`, 400, "bad_field", "delaySeconds"},
		"OnlineText":  {"boss", `{"message":"x","onlineOnly":"yes"}`, 400, "bad_field", "onlineOnly"},
		"FromAnother": {"boss", `{"message":"x","from":"ben"}`, 403, "identity_mismatch", "from"},
		"FromByAdmin": {"key-admin", `{"message":"x","from":"ben"}`, 403, "forbidden", "from"},
	} {
		t.Run(name, func(t *testing.T) { d.broadcast(c.who, c.body).refused(t, c.status, c.code, c.field) })
	}
	d.store.FailCommits(ws.ErrUnavailable)
	d.broadcast("boss", `{"message":"x","msgid":"b1"}`).refused(t, 503, "storage_unavailable", "")
	d.store.FailCommits(nil)
}
