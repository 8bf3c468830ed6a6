//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestPage_Looks shows the page in the sizes and colours people have, for whoever asks for pictures, and holds what a
// picture cannot tell: nothing is wider than the screen, and every control has a name.
func TestPage_Looks(t *testing.T) {
	server := startServer(t)
	browser := startBrowser(t)
	will := browser.person(t, server.url("?as=will&name=Will+Turner&with=rose"))
	will.online()
	for _, size := range []struct{ width, height int64 }{{390, 844}, {1280, 800}} {
		for _, colours := range []string{"light", "dark"} {
			name := fmt.Sprintf("%d-%s", size.width, colours)
			t.Run(name, func(t *testing.T) {
				emulate := []step{chromedp.EmulateViewport(size.width, size.height)}
				if colours == "dark" {
					emulate = append(emulate, dark)
				}
				p := browser.person(t, server.url("?as=rose&name=Rose+Tyler"), emulate...)
				p.online()
				if len(will.messages()) == 0 {
					will.say("Good morning! The parcel from Leiden has come, and with it the three books you asked for.")
					will.say("https://example.com/a/rather/long/address/that/has/no/place/to/break/and/goes/on/and/on")
				}
				p.eventually("the conversation is there", func() bool { return p.text(`[data-peer="will"]`) != "" })
				p.fits()
				p.picture(name + "-list")
				p.run(chromedp.Click(chromedp.CSS(`[data-peer="will"]`)), chromedp.WaitVisible(chromedp.CSS("#compose")))
				p.say("Wonderful. I will fetch them this afternoon " + name)
				p.eventually("it was delivered", func() bool { return delivered(p) && len(p.messages()) > 2 })
				p.fits()
				p.picture(name + "-thread")
				if size.width < 500 {
					p.run(chromedp.Click(chromedp.CSS(".back")))
				}
				p.run(chromedp.Click(chromedp.CSS(".devices-button")), chromedp.WaitVisible(chromedp.CSS("dialog")))
				p.fits()
				p.picture(name + "-devices")
				p.healthy()
			})
		}
	}
}

// fits checks that the page needs no sideways scrolling, and that what can be reached by keyboard says what it is.
func (p *page) fits() {
	p.t.Helper()
	require.False(p.t, value[bool](p, "document.documentElement.scrollWidth > innerWidth"), "nothing may be wider than the screen")
	nameless := value[[]string](p, `[...document.querySelectorAll("button, input, textarea, a, [tabindex='0']")].filter((control) =>
		!(control.textContent.trim() || control.getAttribute("aria-label") || control.labels?.length)).map((control) => control.outerHTML)`)
	require.Empty(p.t, nameless, "controls without a name")
}
