package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestSessions(t *testing.T) {
	d := openDoor(t, nil)
	web := d.connect("ann", "web")
	d.connect("ann", "phone")
	d.connect("ben", "web")
	d.posted("ben", "ann", "hi", "m1")
	d.posted("ben", "ann", "there", "m2")
	web.expect(2)
	web.acknowledge("m1", "ben")
	a := d.get("ann", "/api/v1/sessions")
	require.Equal(t, http.StatusOK, a.status, a.text)
	items := a.items()
	require.Len(t, items, 2)
	for _, item := range items {
		utc(t, item["since"])
		delete(item, "since")
	}
	require.Equal(t, "phone", items[0]["device"])
	require.EqualValues(t, 2, items[0]["pending"])
	require.Equal(t, map[string]any{
		"sessionId": web.id, "openid": "ann", "device": "web", "node": "n1", "window": 1.0, "pending": 1.0,
	}, items[1])
	require.Len(t, d.get("boss", "/api/v1/sessions?user=ann").items(), 2)
	require.Empty(t, d.get("key-admin", "/api/v1/sessions?user=nobody").items())
	d.get("key-admin", "/api/v1/sessions").refused(t, 400, "missing_field", "user")
	d.get("eve", "/api/v1/sessions?user=ann").refused(t, 403, "forbidden", "")
}

func TestSessions_EndOne(t *testing.T) {
	d := openDoor(t, nil)
	web, phone := d.connect("ann", "web"), d.connect("ann", "phone")
	webCloses, phoneCloses := web.closes(), phone.closes()
	end := func(who, id string) answer { return d.call(who, http.MethodDelete, "/api/v1/sessions/"+id, "") }
	end("ben", phone.id).refused(t, 403, "forbidden", "")
	a := end("ann", url.PathEscape(phone.id))
	require.Equal(t, http.StatusOK, a.status, a.text)
	require.Equal(t, map[string]any{"sessionId": phone.id, "state": "ended"}, a.object)
	require.Equal(t, 4403, <-phoneCloses)
	items := d.get("ann", "/api/v1/sessions").items()
	require.Len(t, items, 1, "it is gone when that is answered")
	require.Equal(t, web.id, items[0]["sessionId"])
	end("ann", phone.id).refused(t, 404, "not_found", "")
	end("boss", "n1_ann").refused(t, 400, "bad_field", "sessionId")
	require.Equal(t, http.StatusOK, end("boss", web.id).status)
	require.Equal(t, 4403, <-webCloses)
}

// An openid may hold what ids are made of, and what paths are made of.
func TestSessions_OddOpenID(t *testing.T) {
	d := openDoor(t, nil)
	identities := []string{"a_b/c:d?", "_", "x_20240102102737-2"}
	for _, openID := range identities {
		odd := d.connectAs(ws.Identity{OpenID: openID}, "web")
		closes := odd.closes()
		user, ok := ws.SessionUser(odd.id)
		require.True(t, ok)
		require.Equal(t, openID, user)
		a := d.call("boss", http.MethodDelete, "/api/v1/users/"+url.PathEscape(openID)+"/sessions", "")
		require.Equal(t, map[string]any{"openid": openID, "ended": 1.0, "revoked": false}, a.object)
		require.Equal(t, 4403, <-closes)
	}
}

func TestSessions_EndAll(t *testing.T) {
	d := openDoor(t, nil)
	path := "/api/v1/users/ann/sessions"
	for query, code := range map[string]int{"": 4403, "?revoke=false": 4403, "?revoke=true": 4401} {
		web, phone, other := d.connect("ann", "web"), d.connect("ann", "phone"), d.connect("ben", "web")
		webCloses, phoneCloses := web.closes(), phone.closes()
		d.call("eve", http.MethodDelete, path+query, "").refused(t, 403, "forbidden", "")
		a := d.call("ann", http.MethodDelete, path+query, "")
		require.Equal(t, http.StatusOK, a.status, a.text)
		require.Equal(t, map[string]any{"openid": "ann", "ended": 2.0, "revoked": code == 4401}, a.object)
		require.Equal(t, []int{code, code}, []int{<-webCloses, <-phoneCloses})
		other.write(map[string]any{"type": 11})
		other.expect(12)
	}
	require.EqualValues(t, 0, d.call("boss", http.MethodDelete, path, "").object["ended"])
	d.call("ann", http.MethodDelete, path+"?revoke=perhaps", "").refused(t, 400, "bad_field", "revoke")
	d.call("boss", http.MethodDelete, "/api/v1/users/nobody/sessions?revoke=true", "").refused(t, 404, "unknown_user", "")
}
