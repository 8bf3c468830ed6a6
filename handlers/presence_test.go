package handlers_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestPresence(t *testing.T) {
	d := openDoor(t, nil)
	d.connect("ben", "web")
	d.connect("ben", "phone")
	a := d.get("ann", "/api/v1/presence?users=eve,ben,nobody")
	require.Equal(t, http.StatusOK, a.status, a.text)
	items := a.items()
	require.Len(t, items, 3)
	require.Equal(t, []any{"eve", "offline", []any{}}, []any{items[0]["openid"], items[0]["status"], items[0]["devices"]})
	require.NotContains(t, items[0], "since")
	require.Equal(t, []any{"ben", "online"}, []any{items[1]["openid"], items[1]["status"]})
	require.ElementsMatch(t, []any{"web", "phone"}, items[1]["devices"])
	utc(t, items[1]["since"])
	require.Equal(t, map[string]any{"openid": "nobody", "status": "offline", "devices": []any{}}, items[2])
	require.Empty(t, a.object["next"])
}

func TestPresence_Nodes(t *testing.T) {
	d := openDoor(t, nil)
	d.connect("ben", "web")
	require.NotContains(t, d.get("ann", "/api/v1/presence?users=ben").items()[0], "nodes")
	require.Len(t, d.get("boss", "/api/v1/presence?users=ben").items()[0]["nodes"], 1)
}

// shy lets nobody see ben.
type shy struct{ ws.AllowAll }

func (shy) MayWatch(_ context.Context, _, user string) bool { return user != "ben" }

func TestPresence_Forbidden(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) { o.Authorizer = shy{} })
	d.connect("ben", "web")
	const path = "/api/v1/presence?users=ben"
	require.Equal(t, map[string]any{"openid": "ben", "status": "unknown", "devices": []any{}}, d.get("ann", path).items()[0])
	for _, who := range []string{"ben", "boss", "key-read"} {
		require.Equal(t, "online", d.get(who, path).items()[0]["status"], who)
	}
}

func TestOnline(t *testing.T) {
	d := openDoor(t, nil)
	require.Empty(t, d.get("key-read", "/api/v1/presence/online").items())
	d.connect("ben", "web")
	d.connect("ben", "phone")
	d.connect("ann", "web")
	d.connect("eve", "web")
	var users []any
	for cursor := ""; ; {
		page := d.get("boss", "/api/v1/presence/online?limit=1&cursor="+cursor)
		require.Equal(t, http.StatusOK, page.status, page.text)
		require.LessOrEqual(t, len(page.items()), 1)
		for _, item := range page.items() {
			users = append(users, item["openid"])
			require.Equal(t, "online", item["status"])
			require.Len(t, item["nodes"], 1)
		}
		if cursor, _ = page.object["next"].(string); cursor == "" {
			break
		}
	}
	require.Equal(t, []any{"ann", "ben", "eve"}, users)
	all := d.get("key-read", "/api/v1/presence/online").items()
	require.Len(t, all, 3)
	require.NotContains(t, all[0], "nodes")
	require.Len(t, all[1]["devices"], 2)
	d.get("boss", "/api/v1/presence/online?cursor=*").refused(t, 400, "bad_field", "cursor")
	d.get("boss", "/api/v1/presence/online?limit=0").refused(t, 400, "bad_field", "limit")
}

func TestNodes(t *testing.T) {
	d := openDoor(t, nil)
	d.connect("ben", "web")
	d.get("ann", "/api/v1/nodes").refused(t, 403, "forbidden", "")
	d.get("key-read", "/api/v1/nodes").refused(t, 403, "forbidden", "")
	for _, who := range []string{"boss", "key-admin"} {
		items := d.get(who, "/api/v1/nodes").items()
		require.Len(t, items, 1, "a node alone lists itself")
		require.EqualValues(t, 1, items[0]["connections"])
		require.Equal(t, false, items[0]["draining"])
		utc(t, items[0]["beat"])
	}
}

func TestPresence_Refused(t *testing.T) {
	d := openDoor(t, nil)
	d.get("ann", "/api/v1/presence").refused(t, 400, "missing_field", "users")
	d.get("ann", "/api/v1/presence?users=ben,,eve").refused(t, 400, "bad_field", "users")
	d.get("ann", "/api/v1/presence?users=x"+strings.Repeat(",x", 200)).refused(t, 400, "bad_field", "users")
	d.get("key-send", "/api/v1/presence?users=ben").refused(t, 403, "forbidden", "")
	require.Equal(t, http.StatusOK, d.get("key-read", "/api/v1/presence?users=ben").status)
}

func TestMe(t *testing.T) {
	d := openDoor(t, nil)
	require.Equal(t, map[string]any{
		"openid": "ann", "userName": "Ann", "roles": []any{"staff"}, "admin": false, "expiresAt": "2030-01-02T02:04:05Z",
	}, d.get("ann", "/api/v1/me").object)
	require.Equal(t, map[string]any{"openid": "ben", "userName": "Ben", "roles": []any{}, "admin": false}, d.get("ben", "/api/v1/me").object)
	require.Equal(t, true, d.get("boss", "/api/v1/me").object["admin"])
	a := d.get("key-admin", "/api/v1/me")
	a.refused(t, 403, "forbidden", "")
	require.Contains(t, a.text, "service key")
}

func TestNobody(t *testing.T) {
	d := openDoor(t, nil)
	const id = "00000000000000020000000000000001"
	for _, path := range []string{"messages/" + id, "conversations", "conversations/" + id[:16] + "/messages", "presence?users=ben", "nodes", "outbox", "me"} {
		for _, who := range []string{"", "stranger"} {
			d.get(who, "/api/v1/"+path).refused(t, 401, "unauthorized", "")
		}
	}
	d.post("", `{"to":"ben","message":"hi"}`).refused(t, 401, "unauthorized", "")
	d.call("", http.MethodDelete, "/api/v1/messages/"+id, "").refused(t, 401, "unauthorized", "")
}
