package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/handlers"
)

// errand is what one row of the table is tried with: each call of prepare makes a request that concerns ann, and her
// peer ben, and nobody else.
type errand struct {
	may     string // who of everybody is served
	prepare func(d *door) (path, body string)
}

// everybody is each kind of identity there is: nobody, a user whom the errand concerns, another one, the scopes of a
// service key, and an administrator by role.
var everybody = []string{"", "ann", "eve", "key-send", "key-read", "key-admin", "boss"}

const (
	anybody = " ann eve key-send key-read key-admin boss"
	admins  = "key-admin boss"
)

var errands = map[string]errand{
	"GET /ws":           {"ann eve boss", path("/ws")},
	"GET /ws/":          {"ann eve boss", path("/ws/")},
	"GET /healthz":      {anybody, path("/healthz")},
	"HEAD /healthz":     {anybody, path("/healthz")},
	"GET /readyz":       {anybody, path("/readyz")},
	"HEAD /readyz":      {anybody, path("/readyz")},
	"GET /openapi.json": {anybody, path("/openapi.json")},

	"POST /api/v1/messages": {"ann eve key-send boss", func(*door) (string, string) {
		return "/api/v1/messages", `{"to":"ben","message":"hi"}`
	}},
	"POST /api/v1/messages/batch": {"ann eve key-send boss", func(*door) (string, string) {
		return "/api/v1/messages/batch", `{"messages":[{"to":"ben","message":"hi"}]}`
	}},
	"POST /api/v1/broadcast": {"key-send " + admins, func(*door) (string, string) {
		return "/api/v1/broadcast", `{"message":"hi"}`
	}},
	"POST /rocketmq/mqmessage/message/send": {"ann eve key-send boss", func(*door) (string, string) {
		return "/rocketmq/mqmessage/message/send", `{"to":["ben"],"msg":"hi"}`
	}},
	"POST /rocketmq/mqmessage/message/sendList": {"ann eve key-send boss", func(*door) (string, string) {
		return "/rocketmq/mqmessage/message/sendList", `[{"to":["ben"],"msg":"hi"}]`
	}},
	"DELETE /api/v1/scheduled/:id":           {"ann key-send", aDelayedMessage},
	"GET /api/v1/messages/:id":               {"ann key-read " + admins, aMessage},
	"DELETE /api/v1/messages/:id":            {"ann " + admins, aMessage},
	"GET /api/v1/conversations":              {"ann eve boss", path("/api/v1/conversations")},
	"GET /api/v1/conversations/:id/messages": {"ann key-read " + admins, aConversation("/messages")},
	"POST /api/v1/conversations/:id/read": {"ann", func(d *door) (string, string) {
		path, _ := aConversation("/read")(d)
		return path, `{"seq":1}`
	}},
	"GET /api/v1/presence":        {"ann eve key-read " + admins, path("/api/v1/presence?users=ben")},
	"GET /api/v1/presence/online": {"key-read " + admins, path("/api/v1/presence/online")},
	"GET /api/v1/me":              {"ann eve boss", path("/api/v1/me")},
	"POST /api/v1/tickets":        {"ann eve boss", path("/api/v1/tickets")},
	"GET /api/v1/nodes":           {admins, path("/api/v1/nodes")},
	"GET /api/v1/outbox":          {admins, path("/api/v1/outbox")},
	"GET /api/v1/sessions":        {"ann " + admins, path("/api/v1/sessions?user=ann")},
	"DELETE /api/v1/sessions/:id": {"ann " + admins, func(d *door) (string, string) {
		s := d.connect("ann", "phone")
		s.closes()
		return "/api/v1/sessions/" + s.id, ""
	}},
	"PUT /api/v1/users/:openid": {admins, func(*door) (string, string) {
		return "/api/v1/users/ann", `{"userName":"Ann"}`
	}},
	"PUT /api/v1/users/:openid/ban":         {admins, path("/api/v1/users/ben/ban")},
	"DELETE /api/v1/users/:openid/ban":      {admins, path("/api/v1/users/ben/ban")},
	"DELETE /api/v1/users/:openid/sessions": {"ann " + admins, path("/api/v1/users/ann/sessions")},
	"POST /api/v1/outbox/:id/replay": {admins, func(d *door) (string, string) {
		d.dead("a")
		items := d.get("boss", "/api/v1/outbox?limit=200").items()
		return "/api/v1/outbox/" + items[len(items)-1]["id"].(string) + "/replay", ""
	}},
}

func path(of string) func(*door) (string, string) {
	return func(*door) (string, string) { return of, "" }
}

func aDelayedMessage(d *door) (string, string) {
	return "/api/v1/scheduled/" + d.scheduled("ann", `{"to":"ben","message":"later","delaySeconds":600}`), ""
}

func aMessage(d *door) (string, string) {
	return "/api/v1/messages/" + d.posted("ann", "ben", "hi", "")["messageId"].(string), ""
}

func aConversation(rest string) func(*door) (string, string) {
	return func(d *door) (string, string) {
		return "/api/v1/conversations/" + d.posted("ann", "ben", "hi", "")["conversationId"].(string) + rest, ""
	}
}

func TestTable_IsTheRouter(t *testing.T) {
	d := openDoor(t, nil)
	var served, rows, tried []string
	for _, route := range d.router.Routes() {
		served = append(served, route.Method+" "+route.Path)
	}
	for _, row := range handlers.New(d.gateway, handlers.Options{}).Table() {
		rows = append(rows, row.Method+" "+row.Path)
	}
	for name := range errands {
		tried = append(tried, name)
	}
	require.ElementsMatch(t, rows, served, "no route without a row, no row without a route")
	require.ElementsMatch(t, rows, tried, "no row that nobody tries")
}

func TestTable_WhoMay(t *testing.T) {
	d := openDoor(t, nil)
	for name, e := range errands {
		method, route, _ := strings.Cut(name, " ")
		for _, who := range everybody {
			path, body := e.prepare(d)
			status := d.status(who, method, path, body)
			what := who + ": " + name
			switch {
			case slices.Contains(strings.Split(e.may, " "), who):
				require.Less(t, status, 400, what)
			case who == "":
				require.Equal(t, 401, status, what)
			case strings.HasPrefix(route, "/api/v1/") && (strings.Contains(route, "/:") || strings.Contains(path, "?user=")) && !strings.HasPrefix(who, "key-"):
				require.Contains(t, []int{403, 404}, status, what)
			default:
				require.Equal(t, 403, status, what)
			}
		}
	}
}

// status makes a call, or for the endpoint of sockets a handshake, and returns the answer's status.
func (d *door) status(who, method, path, body string) int {
	d.t.Helper()
	if strings.HasPrefix(path, "/ws") {
		_, resp := d.dial(who, nil)
		return resp.StatusCode
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.server.URL+path, strings.NewReader(body))
	require.NoError(d.t, err)
	req.Header.Set("Authorization", "Bearer "+who)
	resp, err := d.server.Client().Do(req)
	require.NoError(d.t, err)
	require.NoError(d.t, resp.Body.Close())
	return resp.StatusCode
}
