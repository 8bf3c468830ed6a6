//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestTutorial does what docs/tutorial.md says, with the files that stand there: two people, and a kill -9 between.
func TestTutorial(t *testing.T) {
	app := tutorial(t)
	browser := startBrowser(t)
	rose := browser.person(t, app.url("?me=rose&peer=will"))
	will := browser.person(t, app.url("?me=will&peer=rose"))
	for _, p := range []*page{rose, will} {
		p.eventually("connected", func() bool { return strings.HasSuffix(p.text("#state"), ": online") })
	}
	say := func(p *page, text string) { p.run(chromedp.SendKeys(chromedp.CSS("#text"), text), enter) }
	shows := func(p *page, want ...string) {
		t.Helper()
		p.eventually(strings.Join(want, ", "), func() bool {
			return slices.Equal(want, value[[]string](p, `[...document.querySelectorAll("#messages li")].map((row) => row.textContent)`))
		})
	}

	say(rose, "Hello")
	shows(rose, "rose: Hello ✓ ✓✓")
	shows(will, "rose: Hello")

	app.kill(t)
	will.eventually("the page notices", func() bool { return !strings.HasSuffix(will.text("#state"), ": online") })
	say(will, "Good day")
	shows(will, "rose: Hello", "will: Good day")
	app.start(t)
	shows(will, "rose: Hello", "will: Good day ✓ ✓✓")
	shows(rose, "rose: Hello ✓ ✓✓", "will: Good day")
	rose.healthy()
	will.healthy()
}

// tutorial builds and starts the tutorial's application, on an address of its own.
func tutorial(t *testing.T) *server {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "tutorial.md"))
	require.NoError(t, err)
	s := &server{address: freeAddress(t), mount: "im/", dir: t.TempDir(), env: os.Environ()}
	for _, name := range []string{"main.go", "index.html"} {
		found := regexp.MustCompile("(?ms)^```\\w+ file=" + regexp.QuoteMeta(name) + "\n(.*?)^```$").FindSubmatch(text)
		require.NotNil(t, found, name)
		content := strings.ReplaceAll(string(found[1]), "127.0.0.1:8090", s.address)
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600))
	}
	s.program = compile(t, filepath.Join(s.dir, "main.go"))
	s.begin(t)
	return s
}
