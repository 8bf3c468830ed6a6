package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func (d *door) batch(who, body string, header ...string) answer {
	d.t.Helper()
	return d.call(who, http.MethodPost, "/api/v1/messages/batch", body, header...)
}

func TestSendBatch(t *testing.T) {
	d := openDoor(t, nil)
	body := `{"messages":[{"to":"ben","message":"one","msgid":"m1"},{"to":"ben","message":"other","msgid":"m1"},
		{"to":"nobody","message":"x"},{"to":"ben","message":"x","from":"eve"},7,{"to":["ben","eve"],"message":"two"}]}`
	a := d.batch("ann", body)
	require.Equal(t, http.StatusOK, a.status, a.text)
	items := a.items()
	require.Len(t, items, 6)
	for i, want := range []struct {
		status float64
		code   string
	}{{200, ""}, {409, "conflict"}, {404, "unknown_user"}, {403, "identity_mismatch"}, {400, "bad_json"}, {200, ""}} {
		require.InDelta(t, want.status, items[i]["status"], 0)
		if want.code == "" {
			require.NotContains(t, items[i], "error")
			continue
		}
		require.NotContains(t, items[i], "results")
		require.Equal(t, want.code, items[i]["error"].(map[string]any)["code"])
		require.Equal(t, "request-1", items[i]["error"].(map[string]any)["requestId"])
	}
	first := objects(items[0]["results"])[0]
	require.Equal(t, []any{"ben", "accepted", 1.0}, []any{first["to"], first["status"], first["seq"]})
	last := objects(items[5]["results"])
	require.Len(t, last, 2)
	require.InDelta(t, 2, last[0]["seq"], 0, "in order, and nothing of the refused ones")
	again := objects(d.batch("ann", body).items()[0]["results"])[0]
	require.Equal(t, []any{"duplicate", first["messageId"]}, []any{again["status"], again["messageId"]})
}

func TestSendBatch_Refused(t *testing.T) {
	d := openDoor(t, nil)
	d.batch("ann", `{}`).refused(t, 400, "missing_field", "messages")
	const one = `{"to":"ben","message":"x"}`
	for _, messages := range []string{`[]`, `{}`, `"x"`, "[" + strings.Repeat(one+",", 100) + one + "]"} {
		d.batch("ann", `{"messages":`+messages+`}`).refused(t, 400, "bad_field", "messages")
	}
	d.batch("ann", `{"messages":[`+one+`]}`, "Idempotency-Key", "k").refused(t, 400, "bad_field", "msgid")
	require.Empty(t, d.get("ann", "/api/v1/conversations").items(), "nothing was sent")
}

// A call counts for as many as it does the work of.
func TestSend_Charges(t *testing.T) {
	d := openDoor(t, nil)
	const one, two = `{"to":"ben","message":"x"}`, `{"to":["ben","eve"],"message":"x"}`
	const push, pushTwo = `{"to":["ben"],"msg":"x"}`, `{"to":["ben","eve"],"msg":"x"}`
	for _, call := range []struct {
		path, body string
		more       int64
	}{
		{"/api/v1/messages", one, 0},
		{"/api/v1/messages", two, 1},
		{"/api/v1/messages/batch", `{"messages":[` + one + `]}`, 0},
		{"/api/v1/messages/batch", `{"messages":[` + one + `,` + two + `,7]}`, 3},
		{"/rocketmq/mqmessage/message/send", pushTwo, 1},
		{"/rocketmq/mqmessage/message/sendList", `[` + push + `,` + pushTwo + `]`, 2},
	} {
		d.charged.Store(0)
		a := d.call("ann", http.MethodPost, call.path, call.body)
		require.Equal(t, http.StatusOK, a.status, a.text)
		require.Equal(t, call.more, d.charged.Load(), "%s %s", call.path, call.body)
	}
	for i := range 11 {
		friend := fmt.Sprintf("friend %d", i)
		require.NoError(t, d.gateway.Write(t.Context(), &ws.PutUser{OpenID: friend}))
		_, err := d.gateway.Send(t.Context(), ws.Draft{From: "ann", To: []string{friend}, Body: "x"})
		require.NoError(t, err)
	}
	users := strings.TrimSuffix(strings.Repeat("ben,", 20), ",")
	for path, more := range map[string]int64{"/api/v1/conversations?limit=9": 0, "/api/v1/conversations": 1, "/api/v1/presence?users=ben": 0, "/api/v1/presence?users=" + users: 2} {
		d.charged.Store(0)
		a := d.get("ann", path)
		require.Equal(t, http.StatusOK, a.status, a.text)
		require.Equal(t, more, d.charged.Load(), path)
	}
}
