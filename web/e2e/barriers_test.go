//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axe is the script of axe-core, which install.sh has brought.
var axe = sync.OnceValues(func() (string, error) {
	path, err := fetched("axe-core", "node_modules", "axe-core", "axe.min.js")
	if err != nil {
		return "", err
	}
	script, err := os.ReadFile(path)
	return string(script), err
})

// fetched is the path of what install.sh has brought by npm.
func fetched(names ...string) (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(append([]string{cache, "yanlink-tools", "web"}, names...)...), err
}

// barrier is what keeps somebody from using a page, as axe-core tells it.
type barrier struct {
	Rule  string `json:"rule"`
	Help  string `json:"help"`
	Where string `json:"where"`
	HTML  string `json:"html"`
	Why   string `json:"why"`
}

func (b barrier) String() string {
	return fmt.Sprintf("%s (%s) at %s\n\t%s\n\t%s", b.Rule, b.Help, b.Where, b.HTML, strings.ReplaceAll(b.Why, "\n", "\n\t"))
}

// barriers asks axe-core for what breaks WCAG 2.1 AA, or what it calls best practice. It comes over the browser's protocol,
// since the page's policy takes no script of others.
func (p *page) barriers() []barrier {
	p.t.Helper()
	script, err := axe()
	require.NoError(p.t, err, "no axe-core: run web/e2e/install.sh")
	return value[[]barrier](p, script+`;axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"],
	}).then(({ violations }) => violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, html, failureSummary }) =>
		({ rule: id, help, where: target.join(" "), html, why: failureSummary }))))`, chromedp.EvalAwaitPromise)
}

// accessible fails with every barrier on the page.
func (p *page) accessible() {
	p.t.Helper()
	told := []string{}
	for _, barrier := range p.barriers() {
		told = append(told, barrier.String())
	}
	require.Empty(p.t, strings.Join(told, "\n"), "what keeps somebody out")
}

// TestBarriers holds that they are found, under the policy of all pages.
func TestBarriers(t *testing.T) {
	p := startBrowser(t).person(t, startServer(t).url(""))
	p.run(chromedp.WaitVisible(chromedp.CSS("#login-openid")))
	p.accessible()
	value[bool](p, `document.querySelector("img").removeAttribute("alt"), document.querySelector("h1").style.color = "#bbb", true`)
	rules := []string{}
	for _, barrier := range p.barriers() {
		require.NotEmpty(t, barrier.Why)
		rules = append(rules, barrier.Rule+" "+barrier.Where)
	}
	require.ElementsMatch(t, []string{"image-alt img", "color-contrast h1"}, rules)
}
