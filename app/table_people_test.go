package app_test

import (
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

func errandsOfPeople() []errand {
	return []errand{
		{route: "GET /api/v1/me", may: people, plan: asksWhoIAm},
		{route: "POST /api/v1/tickets", may: people, plan: takesATicket},
		{route: "PUT /api/v1/users/:openid", may: admins, plan: makesKnown},
		{route: "PUT /api/v1/users/:openid", may: admins, plan: renames},
		{route: "PUT /api/v1/users/:openid/ban", may: admins, plan: bans},
		{route: "DELETE /api/v1/users/:openid/ban", may: admins, plan: unbans},
	}
}

func asksWhoIAm(s *scene, who string) request {
	return request{path: "/api/v1/me", done: func(a answer) {
		roles := []any{}
		if who == "boss" {
			roles = []any{"staff", "admin"}
		}
		require.Equal(s, []any{s.id(who), strings.ToUpper(who), roles, who == "boss"},
			[]any{a.object["openid"], a.object["userName"], a.object["roles"], a.object["admin"]})
		require.NotEmpty(s, a.object["expiresAt"])
	}}
}

// takesATicket is the plan to get a ticket, which then opens one session, on the other node.
func takesATicket(s *scene, who string) request {
	return request{path: "/api/v1/tickets", done: func(a answer) {
		require.EqualValues(s, 30, a.object["expiresIn"])
		s.tokens[who] = a.object["token"].(string)
		s.connect(who, s.far, "web").alive()
		_, refused := s.handshake(who, s.far, "/ws?v=1")
		require.Equal(s, http.StatusUnauthorized, refused.status, "once")
	}}
}

// makesKnown is the plan to make somebody known, to whom then the other node takes messages.
func makesKnown(s *scene, _ string) request {
	send := func() int {
		return s.ask("ann", s.far, http.MethodPost, "/api/v1/messages", jsonOf(map[string]any{"to": s.id("new"), "message": "hi"})).status
	}
	require.Equal(s, http.StatusNotFound, send())
	return request{
		path: "/api/v1/users/" + s.id("new"), body: `{"userName":"New"}`,
		done: func(a answer) {
			require.Equal(s, []any{s.id("new"), "New", false}, []any{a.object["openid"], a.object["userName"], a.object["banned"]})
			require.Equal(s, http.StatusOK, send())
			require.Equal(s, "New", s.nameOf("new"))
		},
		undone: func() { require.Equal(s, http.StatusNotFound, send()) },
	}
}

// nameOf is what the node that is far calls somebody whom ann has written to.
func (s *scene) nameOf(name string) any {
	s.Helper()
	return s.items("ann", s.far, "/api/v1/conversations?with="+s.id(name))[0]["peer"].(map[string]any)["userName"]
}

// renames is the plan to change the name of somebody whom the other node knows by the old one.
func renames(s *scene, _ string) request {
	s.post("ann", s.far, "ben", "hi", "")
	require.Equal(s, "BEN", s.nameOf("ben"))
	return request{
		path: "/api/v1/users/" + s.id("ben"), body: `{"userName":"Benjamin"}`,
		done: func(answer) {
			s.Logf("renamed after %v", s.since(s.began, func() bool { return s.nameOf("ben") == "Benjamin" }))
		},
		undone: func() { require.Equal(s, "BEN", s.nameOf("ben")) },
	}
}

// bans is the plan to ban ann, who is on both nodes.
func bans(s *scene, _ string) request {
	web, phone := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone")
	return request{
		path: "/api/v1/users/" + s.id("ann") + "/ban",
		done: func(a answer) {
			asked := s.began
			require.Equal(s, map[string]any{"openid": s.id("ann"), "banned": true, "ended": 2.0}, a.object)
			s.inTime("banned", s.closed(4403, web, phone))
			for _, node := range []string{s.far, s.near} {
				_, refused := s.handshake("ann", node, "/ws?v=1")
				require.Equal(s, http.StatusForbidden, refused.status, "at once")
				s.inTime("refused", s.since(asked, func() bool { return s.me("ann", node) == http.StatusForbidden }))
			}
		},
		undone: func() { web.alive(); phone.alive() },
	}
}

// me is the status of somebody's question who they are.
func (s *scene) me(name, node string) int {
	s.Helper()
	return s.ask(name, node, http.MethodGet, "/api/v1/me", "").status
}

// unbans is the plan to let ann in again, whom both nodes have refused.
func unbans(s *scene, _ string) request {
	s.must(s.ask("key-admin", s.far, http.MethodPut, "/api/v1/users/"+s.id("ann")+"/ban", ""))
	for _, node := range []string{s.near, s.far} {
		require.Equal(s, http.StatusForbidden, s.me("ann", node))
	}
	return request{
		path: "/api/v1/users/" + s.id("ann") + "/ban",
		done: func(a answer) {
			asked := s.began
			require.Equal(s, map[string]any{"openid": s.id("ann"), "banned": false, "ended": 0.0}, a.object)
			for _, node := range []string{s.near, s.far} {
				s.Logf("let in after %v", s.since(asked, func() bool { return s.me("ann", node) == http.StatusOK }))
			}
			s.connect("ann", s.far, "web").alive()
		},
		undone: func() { require.Equal(s, http.StatusForbidden, s.me("ann", s.far)) },
	}
}
