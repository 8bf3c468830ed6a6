package app_test

import (
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

func errandsOfAnybody() []errand {
	open := func(route, path string, done func(s *scene, a answer)) errand {
		return errand{route: route, may: anybody, plan: func(s *scene, _ string) request {
			return request{path: path, done: func(a answer) { done(s, a) }}
		}}
	}
	holds := func(text string) func(s *scene, a answer) {
		return func(s *scene, a answer) { require.Contains(s, a.text, text) }
	}
	found := func(s *scene, a answer) { require.Equal(s, []any{http.StatusOK, ""}, []any{a.status, a.text}) }
	allowed := func(s *scene, a answer) { require.Equal(s, http.StatusNoContent, a.status) }
	return []errand{
		open("GET /healthz", "/healthz", holds(`"status":"ok"`)),
		open("HEAD /healthz", "/healthz", found),
		open("GET /readyz", "/readyz", holds(`"status":"ok"`)),
		open("HEAD /readyz", "/readyz", found),
		open("GET /openapi.json", "/openapi.json", holds(`"/api/v1/messages"`)),
		open("GET /docs", "/docs", holds("openapi.json")),
		open("HEAD /docs", "/docs", found),
		open("GET /", "/", holds("<!doctype html>")),
		open("HEAD /", "/", found),
		open("GET ", "", holds("<!doctype html>")), // the prefix itself, which sends on to the page
		open("HEAD ", "", found),
		open("GET /assets/*path", "/assets/yanlink.js", holds("yanlink.v1")),
		open("HEAD /assets/*path", "/assets/yanlink.js", found),
		open("OPTIONS /api/v1/*path", "/api/v1/messages", allowed),
		open("OPTIONS /dev/*path", "/dev/login", allowed),
		{route: "POST /dev/login", may: anybody, plan: logsIn},
		{route: "GET /dev/sso/check", may: anybody, plan: checksAToken},
	}
}

// logsIn is the plan to become somebody, which the other node then believes.
func logsIn(s *scene, _ string) request {
	return request{path: "/dev/login", body: jsonOf(map[string]string{"openid": s.id("dora"), "userName": "DORA"}), done: func(a answer) {
		s.tokens["dora"] = a.object["token"].(string)
		s.connect("dora", s.far, "web").alive()
	}}
}

// checksAToken is the plan to ask the SSO about a token, as a node does.
func checksAToken(s *scene, _ string) request {
	return request{path: "/dev/sso/check", header: []string{"token", s.token("ann")}, done: func(a answer) {
		require.Equal(s, s.id("ann"), a.object["data"].(map[string]any)["openid"])
		require.Equal(s, strings.ToUpper("ann"), a.object["data"].(map[string]any)["userName"])
	}}
}
