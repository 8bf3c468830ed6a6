package handlers_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// dead puts events into the outbox that were given up, and one that waits.
func (d *door) dead(keys ...string) {
	d.t.Helper()
	events := []ws.Event{{Topic: "yan-message", Key: "waits", Payload: []byte(`{"event":"message.stored"}`), NextAttemptAt: 5}}
	for _, key := range keys {
		events = append(events, ws.Event{Topic: "yan-message", Key: key, Payload: []byte(`{"event":"message.stored"}`), State: ws.EventDead, Attempts: 9})
	}
	require.NoError(d.t, d.gateway.Write(d.t.Context(), &ws.AddEvents{Events: events}))
}

func TestOutbox(t *testing.T) {
	d := openDoor(t, nil)
	d.dead("a", "b", "c")
	first := d.get("boss", "/api/v1/outbox?limit=2")
	require.Equal(t, http.StatusOK, first.status, first.text)
	require.Len(t, first.items(), 2)
	require.Equal(t, map[string]any{
		"id": "2", "topic": "yan-message", "key": "a", "state": "dead", "attempts": 9.0, "event": map[string]any{"event": "message.stored"},
	}, first.items()[0])
	rest := d.get("key-admin", "/api/v1/outbox?state=dead&limit=2&cursor="+first.object["next"].(string))
	require.Len(t, rest.items(), 1)
	require.Equal(t, "c", rest.items()[0]["key"])
	require.Empty(t, rest.object["next"])
	waiting := d.get("boss", "/api/v1/outbox?state=pending").items()
	require.Len(t, waiting, 1)
	require.Equal(t, "1970-01-01T00:00:00.005Z", waiting[0]["nextAttemptAt"])
}

func TestOutbox_Replay(t *testing.T) {
	d := openDoor(t, nil)
	d.dead("a")
	replay := func(who, id string) answer { return d.call(who, http.MethodPost, "/api/v1/outbox/"+id+"/replay", "") }
	a := replay("boss", "2")
	require.Equal(t, http.StatusOK, a.status, a.text)
	require.Equal(t, map[string]any{"id": "2", "state": "pending"}, a.object)
	require.Empty(t, d.get("boss", "/api/v1/outbox").items())
	require.Len(t, d.get("boss", "/api/v1/outbox?state=pending").items(), 2)
	replay("key-admin", "2").refused(t, 409, "conflict", "")
	replay("boss", "7").refused(t, 404, "not_found", "")
	replay("boss", "x").refused(t, 400, "bad_field", "id")
	for _, who := range []string{"ann", "key-send", "key-read"} {
		replay(who, "2").refused(t, 403, "forbidden", "")
	}
}

func TestOutbox_Refused(t *testing.T) {
	d := openDoor(t, nil)
	for _, who := range []string{"ann", "key-send", "key-read"} {
		d.get(who, "/api/v1/outbox").refused(t, 403, "forbidden", "")
	}
	d.get("boss", "/api/v1/outbox?state=done").refused(t, 400, "bad_field", "state")
	d.get("boss", "/api/v1/outbox?cursor=x").refused(t, 400, "bad_field", "cursor")
	d.get("boss", "/api/v1/outbox?limit=0").refused(t, 400, "bad_field", "limit")
}
