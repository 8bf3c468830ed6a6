package app_test

import (
	"net/http"
	"net/url"
	"time"

	"github.com/stretchr/testify/require"
)

func errandsOfPresence() []errand {
	return []errand{
		{route: "GET /ws", may: people, plan: connects("/ws")},
		{route: "GET /ws/", may: people, plan: connects("/ws/")},
		{route: "GET /api/v1/presence", may: people + " key-read key-admin", plan: asksForPresence},
		{route: "GET /api/v1/presence/online", may: "key-read " + admins, plan: asksWhoIsOnline},
		{route: "GET /api/v1/sessions", may: "ann " + admins, plan: listsSessions},
		{route: "DELETE /api/v1/sessions/:id", may: "ann " + admins, plan: endsOneSession},
		{route: "DELETE /api/v1/users/:openid/sessions", may: "ann " + admins, plan: endsSessions},
		{route: "DELETE /api/v1/users/:openid/sessions", may: "ann " + admins, plan: revokes},
	}
}

// connects is the plan to open a session, which is seen to be there, and used, from the other node.
func connects(path string) func(*scene, string) request {
	return func(s *scene, who string) request {
		return request{path: path + "?v=1&device=web", done: func(answer) {
			opened := s.began
			presence := func() map[string]any {
				return s.items("key-admin", s.far, "/api/v1/presence?users="+s.id(who))[0]
			}
			s.inTime("online", s.since(opened, func() bool { return presence()["status"] == "online" }))
			require.Equal(s, []any{[]any{"web"}, []any{nodeID(s.near)}}, []any{presence()["devices"], presence()["nodes"]})
			s.post("carl", s.far, who, "hi", "m1")
			s.opened.takes(s.id("carl"), "hi")
			left := time.Now()
			s.opened.leave()
			s.inTime("offline", s.since(left, func() bool { return presence()["status"] == "offline" }))
		}}
	}
}

// asksForPresence is the plan to ask how it stands with ben, who is on the other node, and with carl, who is nowhere.
func asksForPresence(s *scene, who string) request {
	s.connect("ben", s.far, "phone")
	return request{path: "/api/v1/presence?users=" + s.id("ben") + "," + s.id("carl"), done: func(a answer) {
		items := objects(a.object["items"])
		require.Equal(s, []any{s.id("ben"), "online", []any{"phone"}}, []any{items[0]["openid"], items[0]["status"], items[0]["devices"]})
		require.NotEmpty(s, items[0]["since"])
		require.Equal(s, []any{s.id("carl"), "offline"}, []any{items[1]["openid"], items[1]["status"]})
		s.showsNodes(who, items[0])
	}}
}

// showsNodes expects that administrators, and nobody else, see where somebody is who is far.
func (s *scene) showsNodes(who string, presence map[string]any) {
	s.Helper()
	if among(admins, who) {
		require.Equal(s, []any{nodeID(s.far)}, presence["nodes"])
	} else {
		require.NotContains(s, presence, "nodes")
	}
}

// asksWhoIsOnline is the plan to page through everybody who is online, asking one node after the other.
func asksWhoIsOnline(s *scene, who string) request {
	s.connect("ann", s.near, "web")
	s.connect("ben", s.far, "web")
	const path = "/api/v1/presence/online?limit=1"
	return request{path: path, done: func(a answer) {
		s.refusesChanged(who, path, a.object["next"].(string))
		found := make(map[any]map[string]any)
		asked, other := s.near, s.far
		for page := a.object; ; page = s.get(who, asked, path+"&cursor="+page["next"].(string)) {
			asked, other = other, asked
			for _, item := range objects(page["items"]) {
				require.Equal(s, "online", item["status"])
				found[item["openid"]] = item
			}
			if page["next"] == "" {
				break
			}
		}
		require.Contains(s, found, s.id("ann"))
		require.Contains(s, found, s.id("ben"))
		require.NotContains(s, found, s.id("carl"))
		s.showsNodes(who, found[s.id("ben")])
	}}
}

// listsSessions is the plan to list those of ann.
func listsSessions(s *scene, who string) request {
	web, phone := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone")
	s.connect("ben", s.near, "web")
	s.post("ben", s.near, "ann", "hi", "m1")
	web.expect(2)
	phone.takes(s.id("ben"), "hi")
	return request{path: "/api/v1/sessions?user=" + s.id("ann"), done: func(a answer) {
		items := objects(a.object["items"])
		require.Len(s, items, 2)
		shown := func(i int) []any {
			return []any{items[i]["sessionId"], items[i]["openid"], items[i]["device"], items[i]["node"], items[i]["pending"]}
		}
		require.Equal(s, []any{phone.session, s.id("ann"), "phone", nodeID(s.far), 0.0}, shown(0))
		require.Equal(s, []any{web.session, s.id("ann"), "web", nodeID(s.near), 1.0}, shown(1))
		require.EqualValues(s, 1, items[1]["window"])
		if who == "ann" {
			require.Len(s, s.items(who, s.near, "/api/v1/sessions"), 2, "one's own need no name")
		}
	}}
}

// endsOneSession is the plan to end one session of ann's, which is far, but not the other one.
func endsOneSession(s *scene, _ string) request {
	web, phone := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone")
	return request{
		path: "/api/v1/sessions/" + url.PathEscape(phone.session),
		done: func(answer) {
			s.inTime("kicked", s.closed(4403, phone))
			web.alive()
			items := s.items("ann", s.far, "/api/v1/sessions")
			require.Len(s, items, 1)
			require.Equal(s, web.session, items[0]["sessionId"])
		},
		undone: func() { web.alive(); phone.alive() },
	}
}

// endsSessions is the plan to end all of ann's sessions. Her token holds on.
func endsSessions(s *scene, _ string) request {
	web, phone, other := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone"), s.connect("ben", s.far, "web")
	return request{
		path: "/api/v1/users/" + s.id("ann") + "/sessions",
		done: func(a answer) {
			require.Equal(s, map[string]any{"openid": s.id("ann"), "ended": 2.0, "revoked": false}, a.object)
			s.inTime("kicked", s.closed(4403, web, phone))
			other.alive()
			s.connect("ann", s.far, "web").alive()
		},
		undone: func() { web.alive(); phone.alive() },
	}
}

// revokes is the plan to end ann's tokens, but not those that she gets afterwards.
func revokes(s *scene, _ string) request {
	web, phone := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone")
	return request{
		path: "/api/v1/users/" + s.id("ann") + "/sessions?revoke=true",
		done: func(a answer) {
			asked := s.began
			require.Equal(s, map[string]any{"openid": s.id("ann"), "ended": 2.0, "revoked": true}, a.object)
			s.inTime("signed out", s.closed(4401, web, phone))
			for _, node := range []string{s.far, s.near} {
				s.inTime("token refused", s.since(asked, func() bool {
					return s.ask("ann", node, http.MethodGet, "/api/v1/me", "").status == http.StatusUnauthorized
				}))
				_, refused := s.handshake("ann", node, "/ws?v=1")
				require.Equal(s, http.StatusUnauthorized, refused.status)
			}
			s.tokens["ann"] = s.login("ann")
			s.connect("ann", s.far, "web").alive()
		},
		undone: func() { web.alive(); phone.alive() },
	}
}
