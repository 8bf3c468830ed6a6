package app_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/ws/wstest"
)

// TestBundle_Routes holds the routes of a bundle against what is tried of them, and against the table of who may do what:
// besides it there is only what anybody may have.
func TestBundle_Routes(t *testing.T) {
	cfg := testConfig(t)
	cfg.Server.Origins = []string{"https://ours.example"}
	bundle, err := app.New(cfg, app.WithDevSSO())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bundle.Stop(t.Context())) })
	router := gin.New()
	bundle.Mount(router.Group("/im"))
	var served, table, tried []string
	for _, route := range router.Routes() {
		if strings.HasSuffix(route.Handler, "middleware.NotFound") || route.Path == "/im" { // nothing, and what sends on to the page
			continue
		}
		served = append(served, route.Method+" "+strings.TrimPrefix(route.Path, "/im"))
	}
	for _, row := range handlers.New(nil, handlers.Options{}).Table() {
		table = append(table, row.Method+" "+row.Path)
	}
	for _, e := range errands() {
		if !slices.Contains(tried, e.route) {
			tried = append(tried, e.route)
		}
		if !slices.Contains(table, e.route) {
			require.Equal(t, anybody, e.may, e.route)
		}
	}
	require.ElementsMatch(t, served, tried, "no route that nobody tries")
	require.Subset(t, served, table)
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
