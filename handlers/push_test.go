package handlers_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (d *door) push(who, body string, header ...string) answer {
	d.t.Helper()
	return d.call(who, http.MethodPost, "/rocketmq/mqmessage/message/send", body, header...)
}

// failed asserts the one shape of a push call that fails.
func (a answer) failed(t testing.TB, http, statusCode int) {
	t.Helper()
	require.Equal(t, http, a.status, a.text)
	require.Len(t, a.object, 4, a.text)
	require.Equal(t, []any{false, float64(statusCode)}, []any{a.object["success"], a.object["statusCode"]}, a.text)
	require.NotEmpty(t, a.object["msg"])
	a.saysWhen(t)
}

func TestPush(t *testing.T) {
	d := openDoor(t, nil)
	ben := d.connect("ben", "web")
	const body = `{"to":["ben"],"msg":"hi","uniqueMsgid":"m1","from":"ann","delay":0,"sendToAll":false,"requestId":"r1"}`
	a := d.push("key-send", body)
	require.Equal(t, []any{true, 200.0, "success"}, []any{a.object["success"], a.object["statusCode"], a.object["msg"]}, a.text)
	require.Len(t, a.object, 4)
	sent := objects(a.object["content"].(map[string]any)["results"])[0]
	shown := ben.expect(2)
	require.Equal(t, []any{"hi", "m1", "ann"}, []any{shown["message"], shown["msgid"], shown["fromUser"].(map[string]any)["openid"]})
	for _, again := range []answer{d.push("key-send", body), d.push("ann", `{"to":["ben"],"msg":"hi"}`, "Idempotency-Key", "m1")} {
		repeat := objects(again.object["content"].(map[string]any)["results"])[0]
		require.Equal(t, []any{"duplicate", sent["messageId"]}, []any{repeat["status"], repeat["messageId"]})
	}
	require.Equal(t, 200, d.push("ann", `{"to":["ben"],"msg":{"a": 1}}`).status)
	require.JSONEq(t, `{"a":1}`, ben.expect(2)["message"].(string), "what is no string arrives as JSON")
}

// Who is known has got it.
func TestPush_UnknownUsers(t *testing.T) {
	d := openDoor(t, nil)
	ben := d.connect("ben", "web")
	a := d.push("key-send", `{"to":["nobody","ben","noone"],"msg":"hi","from":"ann"}`)
	a.failed(t, 200, -501)
	require.Equal(t, []any{"nobody", "noone"}, a.object["content"])
	require.Equal(t, "hi", ben.expect(2)["message"])
}

func TestPush_Refused(t *testing.T) {
	d := openDoor(t, nil)
	d.push("ann", `{"to":["ben"]}`).failed(t, 400, 400)
	d.push("ann", `{"msg":"x"}`).failed(t, 400, 400)
	d.push("ann", `{`).failed(t, 400, 400)
	d.push("ann", `{"to":["ben"],"msg":"x","delay":-1}`).failed(t, 400, 400)
	d.push("ann", `{"to":["ben"],"msg":"x","sendToAll":"all"}`).failed(t, 400, 400)
	d.push("ann", `{"to":["ben"],"msg":"x","uniqueMsgid":"a"}`, "Idempotency-Key", "b").failed(t, 400, 400)
	d.push("ann", `{"to":["ben"],"msg":"x","from":"eve"}`).failed(t, 403, 403)
	for _, who := range []string{"ann", "boss"} {
		d.push(who, `{"msg":"x","sendToAll":true}`).failed(t, 403, 403)
	}
	d.push("key-read", `{"to":["ben"],"msg":"x"}`).refused(t, 403, "forbidden", "")
	require.Empty(t, d.get("ben", "/api/v1/conversations").items(), "nothing was sent")
}

func TestPush_LaterAndToAll(t *testing.T) {
	d, clock := openLater(t)
	ben := d.connect("ben", "web")
	a := d.push("key-send", `{"to":["ben"],"msg":"later","delay":60}`)
	result := objects(a.object["content"].(map[string]any)["results"])[0]
	require.Equal(t, "scheduled", result["status"])
	a = d.push("key-send", `{"msg":"all of you","sendToAll":true,"uniqueMsgid":"b1"}`)
	require.Equal(t, true, a.object["success"], a.text)
	require.InDelta(t, 5, a.object["content"].(map[string]any)["accepted"], 0, "the application became known by the first")
	require.Equal(t, "all of you", ben.expect(2)["message"])
	clock.put(time.Minute)
	require.Equal(t, "later", ben.expect(2)["message"])
}

func TestPushList(t *testing.T) {
	d := openDoor(t, nil)
	const path = "/rocketmq/mqmessage/message/sendList"
	a := d.call("ann", http.MethodPost, path, `[{"to":["ben"],"msg":"one"},{"to":["nobody"],"msg":"x"},7,{"to":["ben"],"msg":"two"}]`)
	a.failed(t, 200, -501)
	items := objects(a.object["content"])
	require.Len(t, items, 4)
	for i, want := range []float64{200, -501, 400, 200} {
		require.InDelta(t, want, items[i]["statusCode"], 0, a.text)
	}
	last := objects(items[3]["content"].(map[string]any)["results"])[0]
	require.InDelta(t, 2, last["seq"], 0, "in order, and nothing of the refused ones")
	a = d.call("ann", http.MethodPost, path, `[{"to":["ben"],"msg":"three"}]`)
	require.Equal(t, []any{true, 200.0}, []any{a.object["success"], a.object["statusCode"]}, a.text)
	d.call("ann", http.MethodPost, path, `[{"to":["ben"],"msg":"x"}]`, "Idempotency-Key", "k").failed(t, 400, 400)
	for _, bad := range []string{`[]`, `{}`, `[`, `"x"`} {
		d.call("ann", http.MethodPost, path, bad).failed(t, 400, 400)
	}
}

// Programs of the original come back when they are told to, as those that speak our own calls do.
func TestPush_Later(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) {
		o.BeforeSend = func(_ context.Context, draft *ws.Draft) error {
			switch draft.Body {
			case "busy":
				return &protocol.Error{Code: protocol.RateLimited, Message: "not so fast", RetryAfter: 6500 * time.Millisecond}
			case "down":
				return ws.ErrUnavailable
			}
			return nil
		}
	})
	const list = "/rocketmq/mqmessage/message/sendList"
	for text, want := range map[string]struct {
		status int
		after  string
	}{"busy": {429, "7"}, "down": {503, ""}} {
		one := `{"to":["ben"],"msg":"` + text + `"}`
		for name, a := range map[string]answer{"send": d.push("ann", one), "sendList": d.call("ann", http.MethodPost, list, "["+one+"]")} {
			t.Run(name+" "+text, func(t *testing.T) {
				a.failed(t, want.status, want.status)
				if want.after != "" {
					require.Equal(t, want.after, a.header.Get("Retry-After"), "the error's own time")
				}
				require.Equal(t, "no-store", a.header.Get("Cache-Control"))
			})
		}
	}
}
