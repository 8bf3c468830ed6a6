package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUsers_Put(t *testing.T) {
	d := openDoor(t, nil)
	put := func(who, openID, body string) answer {
		return d.call(who, http.MethodPut, "/api/v1/users/"+openID, body)
	}
	d.post("ann", `{"to":"new","message":"hi"}`).refused(t, 404, "unknown_user", "")
	a := put("key-admin", "new", `{"userName":"New One"}`)
	require.Equal(t, http.StatusOK, a.status, a.text)
	first := utc(t, a.object["firstSeen"])
	require.Equal(t, map[string]any{"openid": "new", "userName": "New One", "firstSeen": a.object["firstSeen"], "banned": false}, a.object)
	require.Equal(t, http.StatusOK, d.post("ann", `{"to":"new","message":"hi"}`).status)
	require.Equal(t, "Other", put("boss", "new", `{"userName":"Other"}`).object["userName"])
	a = put("boss", "new", `{}`)
	require.Equal(t, "Other", a.object["userName"], "no name keeps the known one")
	require.Equal(t, first, utc(t, a.object["firstSeen"]))
	require.Equal(t, "Other", d.get("ann", "/api/v1/conversations?with=new").items()[0]["peer"].(map[string]any)["userName"])

	put("boss", "a,b", `{}`).refused(t, 400, "bad_field", "openid")
	put("boss", strings.Repeat("x", 129), `{}`).refused(t, 400, "bad_field", "openid")
	put("boss", "new", `{"userName":7}`).refused(t, 400, "bad_field", "userName")
	put("boss", "new", `{"userName":"`+strings.Repeat("x", 257)+`"}`).refused(t, 400, "bad_field", "userName")
	put("boss", "new", ``).refused(t, 400, "bad_json", "")
}

func TestUsers_Ban(t *testing.T) {
	d := openDoor(t, nil)
	closes := d.connect("ben", "web").closes()
	ban := func(method, openID string) answer { return d.call("boss", method, "/api/v1/users/"+openID+"/ban", "") }
	a := ban(http.MethodPut, "ben")
	require.Equal(t, http.StatusOK, a.status, a.text)
	require.Equal(t, map[string]any{"openid": "ben", "banned": true, "ended": 1.0}, a.object)
	require.Equal(t, 4403, <-closes)
	_, resp := d.dial("ben", nil)
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
	d.post("ben", `{"to":"ann","message":"hi"}`).refused(t, 403, "forbidden", "")
	require.Equal(t, http.StatusOK, d.post("ann", `{"to":"ben","message":"waits"}`).status)
	require.EqualValues(t, 0, ban(http.MethodPut, "ben").object["ended"])

	require.Equal(t, map[string]any{"openid": "ben", "banned": false, "ended": 0.0}, ban(http.MethodDelete, "ben").object)
	require.Equal(t, "waits", d.connect("ben", "web").expect(2)["message"])
	ban(http.MethodPut, "nobody").refused(t, 404, "unknown_user", "")
	ban(http.MethodDelete, "nobody").refused(t, 404, "unknown_user", "")
}
