//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocs looks at the page of the REST interface: it shows every group of calls, and its policy forbids nothing that it needs.
func TestDocs(t *testing.T) {
	s := startServer(t)
	p := startBrowser(t).person(t, s.url("docs"))
	p.eventually("calls", func() bool { return value[int](p, `document.querySelectorAll(".opblock").length`) > 20 })
	require.Equal(t, "Yanlink REST interface", value[string](p, `document.title`))
	require.True(t, value[bool](p, `[...document.querySelectorAll(".opblock-summary-path")].some((e) => e.textContent.includes("/messages"))`))
	require.Empty(t, value[[]string](p, `performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith(location.origin))`),
		"it loads from elsewhere")
	p.picture("docs")
	for _, woe := range p.told() {
		require.NotContains(t, strings.ToLower(woe), "policy", "the page's policy forbids what it needs")
	}
	p.healthy()
}
