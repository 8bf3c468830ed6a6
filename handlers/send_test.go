package handlers_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func TestSend_Arrives(t *testing.T) {
	d := openDoor(t, nil)
	ben := d.connect("ben", "web")
	a := d.post("ann", `{"to":["ben"],"message":"hi <b>","fileType":"1","msgid":"m1","unknown":[1]}`)
	require.Equal(t, http.StatusOK, a.status, a.text)
	require.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, a.object["requestId"])
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Len(t, a.results(), 1)
	result := a.results()[0]
	require.Equal(t, "ben", result["to"])
	require.Equal(t, "accepted", result["status"])
	require.InDelta(t, 1, result["seq"], 0)
	require.Regexp(t, `^[0-9a-f]{16}$`, result["conversationId"])
	require.Equal(t, result["conversationId"].(string)+"0000000000000001", result["messageId"])

	shown := ben.expect(2)
	require.Equal(t, "hi <b>", shown["message"])
	require.Equal(t, "1", shown["fileType"])
	require.Equal(t, "m1", shown["msgid"])
	require.Equal(t, result["conversationId"], shown["conversationId"])
	require.Equal(t, "Ann", shown["fromUser"].(map[string]any)["userName"])
}

func TestSend_RepeatIsOneMessage(t *testing.T) {
	d := openDoor(t, nil)
	first := d.posted("ann", "ben", "hi", "m1")
	for name, a := range map[string]answer{
		"Msgid":  d.post("ann", `{"to":"ben","message":"hi","msgid":"m1"}`),
		"Header": d.post("ann", `{"to":["ben"],"message":"hi"}`, "Idempotency-Key", "m1"),
		"Both":   d.post("ann", `{"to":["ben"],"message":"hi","msgid":"m1","fileType":0}`, "Idempotency-Key", "m1"),
	} {
		require.Equal(t, http.StatusOK, a.status, a.text)
		require.Equal(t, "duplicate", a.results()[0]["status"], name)
		require.Equal(t, first["messageId"], a.results()[0]["messageId"], name)
	}
	d.post("ann", `{"to":"ben","message":"other","msgid":"m1"}`).refused(t, 409, "conflict", "")
	d.post("ann", `{"to":"ben","message":"hi","msgid":"m1"}`, "Idempotency-Key", "m2").refused(t, 400, "bad_field", "msgid")
	require.Len(t, d.get("ann", "/api/v1/conversations/"+first["conversationId"].(string)+"/messages").items(), 1)
}

func TestSend_Several(t *testing.T) {
	d := openDoor(t, nil)
	a := d.post("ann", `{"to":["ben","nobody","eve","ben"],"message":"hi","msgid":"m1"}`)
	require.Equal(t, http.StatusOK, a.status, a.text)
	results := a.results()
	require.Len(t, results, 3, "who is named twice gets it once")
	require.Equal(t, map[string]any{"to": "nobody", "status": "unknown_user"}, results[1])
	require.Equal(t, []any{"ben", "accepted", "eve", "accepted"}, []any{results[0]["to"], results[0]["status"], results[2]["to"], results[2]["status"]})
	require.NotEqual(t, results[0]["conversationId"], results[2]["conversationId"])

	d.post("ann", `{"to":["nobody"],"message":"hi"}`).refused(t, 404, "unknown_user", "")
}

func TestSend_BadInput(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) { o.MaxBody = 100 })
	for name, c := range map[string]struct {
		body        string
		status      int
		code, field string
	}{
		"Empty":            {``, 400, "bad_json", ""},
		"NoJSON":           {`to=ben`, 400, "bad_json", ""},
		"Array":            {`[]`, 400, "bad_json", ""},
		"CutOff":           {`{"to":["ben"],"message":"hi"`, 400, "bad_json", ""},
		"Trailing":         {`{"to":["ben"],"message":"hi"} {}`, 400, "bad_json", ""},
		"BadUTF8":          {"{\"to\":[\"ben\"],\"message\":\"\xff\"}", 400, "bad_json", ""},
		"HalfSurrogate":    {`{"to":["ben"],"message":"\ud800"}`, 400, "bad_json", ""},
		"Deep":             {`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, 400, "bad_json", ""},
		"Twice":            {`{"to":["ben"],"message":"a","message":"b"}`, 400, "bad_json", "message"},
		"NoTo":             {`{"message":"hi"}`, 400, "missing_field", "to"},
		"EmptyTo":          {`{"to":[],"message":"hi"}`, 400, "missing_field", "to"},
		"NumberTo":         {`{"to":7,"message":"hi"}`, 400, "bad_field", "to"},
		"NumbersTo":        {`{"to":["ben",7],"message":"hi"}`, 400, "bad_field", "to"},
		"NullAmongTo":      {`{"to":["ben",null],"message":"hi"}`, 400, "bad_field", "to"},
		"BadTo":            {`{"to":["a,b"],"message":"hi"}`, 400, "bad_field", "to"},
		"NoMessage":        {`{"to":["ben"]}`, 400, "missing_field", "message"},
		"NullMessage":      {`{"to":["ben"],"message":null}`, 400, "missing_field", "message"},
		"ObjectMessage":    {`{"to":["ben"],"message":{}}`, 400, "bad_field", "message"},
		"LongMessage":      {`{"to":["ben"],"message":"` + strings.Repeat("x", 101) + `"}`, 413, "too_large", "message"},
		"LongBody":         {`{"to":["ben"],"message":"` + strings.Repeat("x", 5000) + `"}`, 413, "too_large", ""},
		"FileTypeFive":     {`{"to":["ben"],"message":"hi","fileType":5}`, 400, "bad_field", "fileType"},
		"FileTypeHuge":     {`{"to":["ben"],"message":"hi","fileType":1e400}`, 400, "bad_field", "fileType"},
		"FileTypeWord":     {`{"to":["ben"],"message":"hi","fileType":"text"}`, 400, "bad_field", "fileType"},
		"FileTypeFraction": {`{"to":["ben"],"message":"hi","fileType":1.5}`, 400, "bad_field", "fileType"},
		"FileTypeLong":     {`{"to":["ben"],"message":"hi","fileType":"01"}`, 400, "bad_field", "fileType"},
		"FileTypeBool":     {`{"to":["ben"],"message":"hi","fileType":true}`, 400, "bad_field", "fileType"},
		"NumberMsgID":      {`{"to":["ben"],"message":"hi","msgid":1}`, 400, "bad_field", "msgid"},
		"LongMsgID":        {`{"to":["ben"],"message":"hi","msgid":"` + strings.Repeat("x", 65) + `"}`, 400, "bad_field", "msgid"},
		"NegativeTTL":      {`{"to":["ben"],"message":"hi","ttlSeconds":-1}`, 400, "bad_field", "ttlSeconds"},
		"TextTTL":          {`{"to":["ben"],"message":"hi","ttlSeconds":"1"}`, 400, "bad_field", "ttlSeconds"},
		"EndlessTTL":       {`{"to":["ben"],"message":"hi","ttlSeconds":18446744074}`, 400, "bad_field", "ttlSeconds"},
		"Group":            {`{"groupId":"g","message":"hi"}`, 400, "bad_field", "groupId"},
		"NegativeDelay":    {`{"to":["ben"],"message":"hi","delaySeconds":-1}`, 400, "bad_field", "delaySeconds"},
		"FractionDelay":    {`{"to":["ben"],"message":"hi","delaySeconds":0.5}`, 400, "bad_field", "delaySeconds"},
		"LongDelay":        {`{"to":["ben"],"message":"hi","delaySeconds":2592001}`, 400, "bad_field", "delaySeconds"},
		"FromNumber":       {`{"to":["ben"],"message":"hi","from":1}`, 400, "bad_field", "from"},
		"FromAnother":      {`{"to":["ben"],"message":"hi","from":"eve"}`, 403, "identity_mismatch", "from"},
	} {
		t.Run(name, func(t *testing.T) { d.post("ann", c.body).refused(t, c.status, c.code, c.field) })
	}
	require.Empty(t, d.get("ann", "/api/v1/conversations").items(), "nothing was sent")
	a := d.post("ann", `{"to":["ben"],"message":"hi","from":"ann","msgid":null,"fileType":null,"groupId":null,"ttlSeconds":60}`)
	require.Equal(t, http.StatusOK, a.status, a.text)
}

func TestSend_ByServiceKey(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) { o.AppName = "shop" })
	ben := d.connect("ben", "web")
	for body, from := range map[string]string{
		`{"to":"ben","message":"shipped","from":"ann"}`: "ann",
		`{"to":"ben","message":"shipped"}`:              "system:shop",
	} {
		a := d.post("key-send", body)
		require.Equal(t, http.StatusOK, a.status, a.text)
		require.Equal(t, from, ben.expect(2)["fromUser"].(map[string]any)["openid"])
	}
	d.post("key-send", `{"to":"ben","message":"x","from":"a,b"}`).refused(t, 400, "bad_field", "from")
	d.post("key-read", `{"to":"ben","message":"x","from":"ann"}`).refused(t, 403, "forbidden", "")
	d.post("key-admin", `{"to":"ben","message":"x","from":"ann"}`).refused(t, 403, "forbidden", "")
}

func TestSend_LedgerRefuses(t *testing.T) {
	d := openDoor(t, nil)
	d.store.FailCommits(ws.ErrUnavailable)
	a := d.post("ann", `{"to":"ben","message":"hi","msgid":"m1"}`)
	a.refused(t, 503, "storage_unavailable", "")
	d.store.FailCommits(nil)
	require.Eventually(t, func() bool {
		return d.post("ann", `{"to":"ben","message":"hi","msgid":"m1"}`).status == http.StatusOK
	}, patience, patience/1000, "it goes on by itself")
}

// A hook of the host's knows better than the code when to come back.
func TestSend_HookSaysWhen(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) {
		o.BeforeSend = func(context.Context, *ws.Draft) error {
			return &protocol.Error{Code: protocol.RateLimited, Message: "not so fast", RetryAfter: 41500 * time.Millisecond}
		}
	})
	a := d.post("ann", `{"to":"ben","message":"hi"}`)
	a.refused(t, 429, "rate_limited", "")
	require.Equal(t, "42", a.header.Get("Retry-After"))
}
