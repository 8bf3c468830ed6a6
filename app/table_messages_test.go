package app_test

import (
	"net/http"

	"github.com/stretchr/testify/require"
)

func errandsOfMessages() []errand {
	const may = people + " key-send"
	return []errand{
		{route: "POST /api/v1/messages", may: may, plan: sends("/api/v1/messages", func(message map[string]any) any { return message },
			func(a answer) []map[string]any { return objects(a.object["results"]) })},
		{route: "POST /api/v1/messages/batch", may: may, plan: sends("/api/v1/messages/batch",
			func(message map[string]any) any { return map[string]any{"messages": []any{message}} },
			func(a answer) []map[string]any { return objects(objects(a.object["items"])[0]["results"]) })},
		{route: "POST /rocketmq/mqmessage/message/send", may: may, plan: pushes("/rocketmq/mqmessage/message/send",
			func(request map[string]any) any { return request },
			func(a answer) map[string]any { return a.object })},
		{route: "POST /rocketmq/mqmessage/message/sendList", may: may, plan: pushes("/rocketmq/mqmessage/message/sendList",
			func(request map[string]any) any { return []any{request} },
			func(a answer) map[string]any { return objects(a.object["content"])[0] })},
		{route: "DELETE /api/v1/scheduled/:id", may: "ann key-send", hidden: "ben eve boss", plan: cancels},
		{route: "GET /api/v1/messages/:id", may: "ann ben key-read " + admins, hidden: "eve", plan: readsALife},
		{route: "DELETE /api/v1/messages/:id", may: "ann " + admins, hidden: "eve", plan: recalls},
		{route: "POST /api/v1/broadcast", may: "key-send " + admins, plan: broadcasts(false)},
		{route: "POST /api/v1/broadcast", may: "key-send " + admins, plan: broadcasts(true)},
	}
}

// sender is for whom somebody sends: a service key for ann.
func (s *scene) sender(who string) string {
	if who == "key-send" {
		return s.id("ann")
	}
	return s.id(who)
}

// sends is the plan to send a message to carl, and to somebody whom nobody knows. The answer holds the results.
func sends(path string, body func(message map[string]any) any, results func(answer) []map[string]any) func(*scene, string) request {
	return func(s *scene, who string) request {
		carl := s.connect("carl", s.far, "web")
		r := request{path: path, body: jsonOf(body(map[string]any{
			"from": s.sender(who), "to": []string{s.id("carl"), s.id("unknown")}, "message": "hi", "msgid": "m1", "fileType": 1,
		}))}
		r.done = func(a answer) {
			of := results(a)
			require.Equal(s, []any{"accepted", "unknown_user"}, []any{of[0]["status"], of[1]["status"]})
			require.Equal(s, "1", carl.takes(s.sender(who), "hi")["fileType"])
			s.arrived(of[0]["messageId"])
			again := results(s.ask(who, s.far, http.MethodPost, path, r.body))
			require.Equal(s, []any{"duplicate", of[0]["messageId"]}, []any{again[0]["status"], again[0]["messageId"]})
			if who != "key-send" {
				foreign := jsonOf(body(map[string]any{"from": s.id("carl"), "to": s.id("ben"), "message": "hi"}))
				require.Contains(s, s.ask(who, s.near, http.MethodPost, path, foreign).text, `"identity_mismatch"`)
			}
		}
		r.undone = func() { s.hasNothing("carl") }
		return r
	}
}

// pushes is sends for the calls of the original. The answer holds one in the original's form.
func pushes(path string, body func(request map[string]any) any, inner func(answer) map[string]any) func(*scene, string) request {
	return func(s *scene, who string) request {
		carl := s.connect("carl", s.far, "web")
		r := request{path: path, body: jsonOf(body(map[string]any{
			"from": s.sender(who), "to": []string{s.id("carl")}, "msg": "hi", "uniqueMsgid": "m1", "requestId": "r1",
		}))}
		r.done = func(a answer) {
			require.Equal(s, []any{true, 200.0}, []any{inner(a)["success"], inner(a)["statusCode"]}, a.text)
			carl.takes(s.sender(who), "hi")
			result := objects(inner(a)["content"].(map[string]any)["results"])[0]
			s.arrived(result["messageId"])
			again := inner(s.ask(who, s.far, http.MethodPost, path, r.body))["content"].(map[string]any)
			require.Equal(s, "duplicate", objects(again["results"])[0]["status"])

			stray := inner(s.ask(who, s.near, http.MethodPost, path, jsonOf(body(map[string]any{"from": s.sender(who), "to": []string{s.id("unknown")}, "msg": "hi"}))))
			require.Equal(s, []any{false, -501.0, []any{s.id("unknown")}}, []any{stray["success"], stray["statusCode"], stray["content"]})
			if who == "key-send" {
				s.must(s.ask(who, s.near, http.MethodPost, path, jsonOf(body(map[string]any{"from": s.sender(who), "sendToAll": true, "msg": "all"}))))
				carl.takes(s.sender(who), "all")
			} else {
				for _, no := range []map[string]any{{"from": s.id("carl"), "to": s.id("ben"), "msg": "hi"}, {"sendToAll": true, "msg": "hi"}} {
					require.EqualValues(s, 403, inner(s.ask(who, s.near, http.MethodPost, path, jsonOf(body(no))))["statusCode"])
				}
			}
		}
		r.undone = func() { s.hasNothing("carl") }
		return r
	}
}

// arrived expects that the ledger knows that carl's device has a message, and through which node.
func (s *scene) arrived(messageID any) {
	s.Helper()
	life := s.get("key-read", s.near, "/api/v1/messages/"+messageID.(string))
	require.Equal(s, []any{"delivered", nodeID(s.near)}, []any{life["state"], life["node"]})
	device := objects(objects(life["recipients"])[0]["devices"])[0]
	require.Equal(s, []any{"web", nodeID(s.far)}, []any{device["device"], device["node"]})
}

// hasNothing expects that somebody was never written to.
func (s *scene) hasNothing(name string) {
	s.Helper()
	require.Empty(s, s.items(name, s.far, "/api/v1/conversations"))
}

// cancels is the plan to cancel a delayed message of ann's, which was given to the other node.
func cancels(s *scene, who string) request {
	schedule := func() answer {
		return s.ask("ann", s.far, http.MethodPost, "/api/v1/messages", jsonOf(map[string]any{"to": s.id("ben"), "message": "later", "msgid": "m1", "delaySeconds": 600}))
	}
	id := objects(s.must(schedule())["results"])[0]["scheduledId"].(string)
	return request{
		path: "/api/v1/scheduled/" + id,
		done: func(answer) {
			require.Equal(s, http.StatusConflict, schedule().status, "a cancelled one stays cancelled")
		},
		undone: func() { require.Equal(s, id, objects(s.must(schedule())["results"])[0]["scheduledId"]) },
	}
}

// readsALife is the plan to ask for a message that ann gave to the other node, where ben has it.
func readsALife(s *scene, _ string) request {
	ben := s.connect("ben", s.far, "web")
	sent := s.post("ann", s.far, "ben", "hi", "m1")
	ben.takes(s.id("ann"), "hi")
	return request{path: "/api/v1/messages/" + sent["messageId"].(string), done: func(a answer) {
		require.Equal(s, []any{sent["messageId"], sent["conversationId"], 1.0, s.id("ann"), nodeID(s.far), 1.0, "delivered"}, []any{
			a.object["messageId"], a.object["conversationId"], a.object["seq"], a.object["from"], a.object["node"], a.object["trigger"], a.object["state"],
		})
		recipient := objects(a.object["recipients"])[0]
		device := objects(recipient["devices"])[0]
		require.Equal(s, []any{s.id("ben"), "delivered", "web", nodeID(s.far), 1.0},
			[]any{recipient["openid"], recipient["state"], device["device"], device["node"], device["pushes"]})
	}}
}

// recalls is the plan to recall a message of ann's that ben has on the other node.
func recalls(s *scene, who string) request {
	ben := s.connect("ben", s.far, "web")
	sent := s.post("ann", s.near, "ben", "hi", "m1")
	ben.takes(s.id("ann"), "hi")
	first := func() map[string]any {
		return s.items("ben", s.far, "/api/v1/conversations/"+sent["conversationId"].(string)+"/messages?after=0")[0]
	}
	return request{
		path: "/api/v1/messages/" + sent["messageId"].(string),
		done: func(answer) {
			got := ben.expect(31)
			by := map[string]string{"ann": s.id("ann"), "boss": s.id("boss"), "key-admin": "service:key-admin"}[who]
			require.Equal(s, []any{sent["messageId"], by, 2.0, 1.0}, []any{got["recalled"], got["by"], got["seq"], got["prevSeq"]})
			require.Equal(s, "recalled", first()["kind"])
			require.NotContains(s, first(), "message")
		},
		undone: func() { require.Equal(s, "hi", first()["message"]) },
	}
}

// broadcasts is the plan to write to everybody, or to everybody who is there: ann is, on both nodes, and ben is not.
func broadcasts(onlineOnly bool) func(*scene, string) request {
	return func(s *scene, who string) request {
		here, there := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone")
		from := map[string]string{"boss": s.id("boss"), "key-send": s.id("eve"), "key-admin": "system:yanlink"}[who]
		named := from
		if who == "key-admin" {
			named = ""
		}
		return request{
			path: "/api/v1/broadcast",
			body: jsonOf(map[string]any{"from": named, "message": "all", "msgid": s.id("b"), "onlineOnly": onlineOnly}),
			done: func(a answer) {
				require.Zero(s, a.object["refused"])
				for _, k := range []*socket{here, there} {
					k.takes(from, "all")
				}
				s.post("carl", s.near, "ben", "hi", "m1")
				ben := s.connect("ben", s.far, "web")
				if !onlineOnly {
					ben.takes(from, "all")
				}
				ben.takes(s.id("carl"), "hi")
			},
			undone: func() {
				s.post("carl", s.near, "ann", "hi", "m1")
				for _, k := range []*socket{here, there} {
					k.takes(s.id("carl"), "hi")
				}
			},
		}
	}
}
