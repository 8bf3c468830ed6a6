//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestPage_Looks shows the page in the sizes and colours people have, for whoever asks for pictures, and holds what a
// picture cannot tell: only lists scroll, and nothing keeps anybody out.
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
				p := browser.person(t, server.url(""), emulate...)
				p.run(chromedp.WaitVisible(chromedp.CSS("#login-openid")))
				p.looks(name + "-login")
				p.run(chromedp.Navigate(server.url("?as=rose&name=Rose+Tyler")))
				p.online()
				if len(will.messages()) == 0 {
					will.say("Good morning! The parcel from Leiden has come, and with it the three books you asked for.")
					will.say("https://example.com/a/rather/long/address/that/has/no/place/to/break/and/goes/on/and/on")
				}
				p.eventually("the conversation is there", func() bool { return p.text(`[data-peer="will"]`) != "" })
				p.looks(name + "-list")
				p.run(chromedp.Click(chromedp.CSS(`[data-peer="will"]`)), chromedp.WaitVisible(chromedp.CSS("#compose")))
				for n := len(p.messages()); n < 14; n++ { // more than the screen holds
					p.say(fmt.Sprintf("Shelf %d has room for them.", n))
				}
				p.say("Wonderful. I will fetch them this afternoon " + name)
				p.eventually("it was delivered", func() bool { return delivered(p) && len(p.messages()) > 2 })
				p.looks(name + "-thread")
				if size.width < 500 {
					p.run(chromedp.Click(chromedp.CSS(".back")))
				}
				p.run(chromedp.Click(chromedp.CSS(".devices-button")), chromedp.WaitVisible(chromedp.CSS("dialog")))
				p.looks(name + "-devices")
				p.run(chromedp.Click(chromedp.CSS("dialog header button")))
				server.kill(t)
				p.eventually("the page notices", func() bool { return strings.HasPrefix(p.text(".connection"), "Disconnected") })
				p.looks(name + "-offline")
				server.start(t)
				p.healthy()
				p.close()
				will.online()
			})
		}
	}
}

// looks checks that the page as a whole needs no scrolling, and that nothing keeps anybody out.
func (p *page) looks(name string) {
	p.t.Helper()
	p.picture(name)
	require.Equal(p.t, [2]int{}, value[[2]int](p, `[
		Math.max(document.documentElement.scrollWidth - innerWidth, 0), Math.max(document.documentElement.scrollHeight - innerHeight, 0),
	]`), "nothing may be wider or higher than the screen")
	p.accessible()
}
