package handlers_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/docs"
	"github.com/yanlink/yanlink/docs/openapitest"
	"github.com/yanlink/yanlink/handlers"
)

// operation is what the description says of a route, as far as the table knows it.
type operation struct {
	Users    string                `json:"x-users"`
	Scopes   []string              `json:"x-scopes"`
	Security []map[string][]string `json:"security"`
}

var usersNamed = map[handlers.Users]string{
	handlers.NoUser: "none", handlers.ConcernedUser: "concerned", handlers.AnyUser: "any", handlers.Anybody: "anybody",
}

// security is how whoever may make a call shows who it is.
func security(row *handlers.Access) []map[string][]string {
	ways := []map[string][]string{}
	if row.Users == handlers.Anybody {
		return ways
	}
	ways = append(ways, map[string][]string{"bearer": {}}) // administrators have tokens too
	switch {
	case len(row.Scopes) > 0:
		ways = append(ways, map[string][]string{"serviceKey": {}})
	case strings.HasPrefix(row.Path, "/ws"):
		ways = append(ways, map[string][]string{"token": {}})
	}
	return ways
}

var ginParameter = regexp.MustCompile(`:(\w+)`)

// described are the routes of docs/openapi.yaml, by method and path.
func described(t *testing.T) map[string]operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(docs.OpenAPI(), &document))
	routes := make(map[string]operation)
	for path, item := range document.Paths {
		for method, text := range item {
			if method == "parameters" {
				continue
			}
			var o operation
			require.NoError(t, json.Unmarshal(text, &o))
			routes[strings.ToUpper(method)+" "+path] = o
		}
	}
	return routes
}

func TestOpenAPI_IsTheTable(t *testing.T) {
	openapitest.Document(t)
	routes := described(t)
	for _, row := range handlers.New(nil, handlers.Options{}).Table() {
		name := row.Method + " " + ginParameter.ReplaceAllString(row.Path, "{$1}")
		o, ok := routes[name]
		require.True(t, ok, "docs/openapi.yaml lacks %s: describe it under paths, with x-users, x-scopes and security as the table has it", name)
		require.Equal(t, usersNamed[row.Users], o.Users, "x-users of %s in docs/openapi.yaml", name)
		require.ElementsMatch(t, row.Scopes, o.Scopes, "x-scopes of %s in docs/openapi.yaml", name)
		require.Equal(t, security(&row), o.Security, "security of %s in docs/openapi.yaml", name)
		reads := row.Method == http.MethodGet && strings.HasPrefix(row.Path, "/api/v1/")
		require.Equal(t, reads, row.Reads, "docs/openapi.yaml says at its top that each GET of the API only reads: %s", name)
		delete(routes, name)
	}
	require.Empty(t, routes, "docs/openapi.yaml describes what is not served")
}

func TestOpenAPI_Served(t *testing.T) {
	d := openDoor(t, nil)
	// Not by get, which would hold the document against itself.
	answer, err := d.server.Client().Get(d.server.URL + "/openapi.json")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, docs.OpenAPI(), body)
	require.Contains(t, string(body), `"openapi":"3.1.0"`)
}
