package app_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/ws/wstest"
)

// rowed is a table of who may do what, by route.
type rowed map[string]handlers.Access

// hold fails the test where a router has a route without a row, or a row has no route or does not say who may.
func (r rowed) hold(t *testing.T, router *gin.Engine, prefix string, rows []handlers.Access) {
	t.Helper()
	var served, named []string
	for _, route := range router.Routes() {
		if !strings.HasSuffix(route.Handler, "middleware.NotFound") { // which nobody gets anything from
			served = append(served, route.Method+" "+strings.TrimPrefix(route.Path, prefix))
		}
	}
	for _, row := range rows {
		name := row.Method + " " + row.Path
		require.NotZero(t, row.Users, "%s: its row does not say which users may", name)
		named = append(named, name)
		r[name] = row
	}
	require.ElementsMatch(t, named, served, "no route without a row, no row without a route")
}

// tried fails the test where a row is not tried, or is tried as something else than it says.
func (r rowed) tried(t *testing.T, errands []errand) {
	t.Helper()
	left := maps.Clone(r)
	for _, e := range errands {
		row, there := r[e.route]
		require.True(t, there, "%s is tried and not there", e.route)
		delete(left, e.route)
		says := map[handlers.Users]bool{
			handlers.Anybody: e.may == anybody, handlers.Operator: e.may == anybody,
			handlers.AnyUser:       e.serves("ann") && e.serves("eve") && !e.serves(nobody),
			handlers.ConcernedUser: e.serves("ann") && !e.serves("eve"),
			handlers.NoUser:        !e.serves("ann") && e.serves("boss"),
		}
		require.True(t, says[row.Users], "%s is open to others than its row says", e.route)
		if e.may == anybody {
			continue
		}
		for key := range serviceKeys {
			require.Equal(t, slices.Contains(row.Scopes, strings.TrimPrefix(key, "key-")), e.serves(key), "%s, %s", e.route, key)
		}
	}
	require.Empty(t, left, "no row that nobody tries")
}

// TestRoutes holds every route that is served, in each configuration, against the table of who may do what, and the table
// against what is tried of it.
func TestRoutes(t *testing.T) {
	public, admin, serverAdmin := rowed{}, rowed{}, rowed{}
	for _, dev := range []bool{false, true} {
		for _, origins := range [][]string{nil, {"https://ours.example"}} {
			configured := func() (*configs.Config, app.Option) {
				cfg := testConfig(t)
				cfg.Server.Origins = origins
				if dev {
					return cfg, app.WithDevSSO()
				}
				return cfg, app.WithAuthenticator(&users{})
			}
			for _, prefix := range []string{"", "/im"} {
				bundle, err := app.New(configured())
				require.NoError(t, err)
				router, operators := gin.New(), gin.New()
				public.hold(t, router, prefix, bundle.Mount(router.Group(prefix)))
				admin.hold(t, operators, prefix, bundle.MountAdmin(operators.Group(prefix)))
				require.NoError(t, bundle.Stop(t.Context()))
			}
			cfg, identification := configured()
			server, _ := newServer(t, cfg, identification)
			router, operators, rows, adminRows := server.Routers()
			public.hold(t, router, "", rows)
			serverAdmin.hold(t, operators, "", adminRows)
		}
	}
	public.tried(t, errands())
	admin.tried(t, errandsOfAdmin())
	serverAdmin.tried(t, slices.Concat(errandsOfAdmin(), errandsOfServerAdmin()))
}

// A host's Gin redirects before any middleware sees a request, and in debug mode writes down where to.
func TestBundle_TokensInURLs(t *testing.T) {
	written := wstest.NewLog(t)
	writer, mode := gin.DefaultWriter, gin.Mode()
	gin.DefaultWriter = written
	gin.SetMode(gin.DebugMode)
	t.Cleanup(func() { gin.DefaultWriter = writer; gin.SetMode(mode) })
	cfg := testConfig(t)
	cfg.Server.Origins = []string{"https://ours.example"}
	bundle, err := app.New(cfg, app.WithDevSSO(), app.WithLogger(written.Logger()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bundle.Stop(t.Context())) })
	router := gin.New()
	router.Use(bundle.TokenFilter(), gin.Logger())
	bundle.Mount(router.Group("/im"))
	for _, route := range router.Routes() {
		asked := ""
		for part := range strings.SplitSeq(strings.Trim(route.Path, "/"), "/") {
			asked += "/" + strings.Trim(part, ":*") // each folder on the way, too
			for _, path := range []string{asked, asked + "/"} {
				answer := httptest.NewRecorder()
				router.ServeHTTP(answer, httptest.NewRequest(route.Method, path+"?a=b&token=tok-abc", http.NoBody))
				require.NotContains(t, answer.Header().Get("Location"), "tok-abc", "%s %s", route.Method, path)
			}
		}
	}
	require.Contains(t, written.String(), "[GIN-debug]")
	require.NotContains(t, written.String(), "tok-abc")
}
