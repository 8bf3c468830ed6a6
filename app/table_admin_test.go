package app_test

import (
	"net/http"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"
)

// errandsOfAdmin are what there is to do on the address for operators. Nobody is asked there who it is.
func errandsOfAdmin() []errand {
	return []errand{
		shows("GET /metrics", "/metrics", "yanlink_sessions"),
		shows("GET /debug/pprof/", "/debug/pprof/", "goroutine?debug=1"),
		shows("GET /debug/pprof/:name", "/debug/pprof/goroutine?debug=1", "goroutine profile"),
	}
}

// errandsOfServerAdmin are what there is besides where the program stands alone.
func errandsOfServerAdmin() []errand {
	return []errand{
		shows("GET /healthz", "/healthz", `"status":"ok"`),
		shows("GET /readyz", "/readyz", `"status":"ok"`),
		{route: "POST /backup", may: anybody, plan: backsUp},
	}
}

func shows(route, path, text string) errand {
	return errand{route: route, may: anybody, plan: func(s *scene, _ string) request {
		return request{admin: true, path: path, done: func(a answer) { require.Contains(s, a.text, text) }}
	}}
}

// backsUp is the plan to order a backup, for which one has to have read the ledger's folder.
func backsUp(s *scene, who string) request {
	key, err := os.ReadFile(filepath.Join(s.dir, "backup.key"))
	require.NoError(s, err)
	to := filepath.Join(s.TempDir(), "copy")
	order := map[string]string{"Ledger": s.dir, "To": to, "Key": "a guess"}
	header := []string{"Content-Type", "application/json"}
	require.Equal(s, http.StatusForbidden, s.ask(who, s.admin, http.MethodPost, "/backup", jsonOf(order), header...).status)
	require.NoDirExists(s, to)
	order["Key"] = string(key)
	return request{admin: true, path: "/backup", body: jsonOf(order), header: header, done: func(a answer) {
		require.Greater(s, a.object["Files"], 1.0)
		require.DirExists(s, to)
	}}
}
