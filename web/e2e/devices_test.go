//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// touch makes a tab believe that it is on a phone.
var touch = chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
	_, err := chromedp.Call(ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	return err
})

// TestPage_Devices is one person at a desk and on a phone: both are connected, each is listed, and the desk signs the
// phone out, in all of its tabs.
func TestPage_Devices(t *testing.T) {
	server := startServer(t)
	browser := startBrowser(t)
	url := server.url("?as=gina&name=Gina")
	desk := browser.person(t, url)
	desk.online()
	phone := browser.person(t, url, touch)
	phone.online()
	require.Contains(t, phone.text(".me"), "gina · mobile")
	other := phone.tab(url, touch)
	other.online()
	require.Equal(t, "Connected", desk.text(".connection"), "the phone has a connection of its own")

	desk.run(chromedp.Click(chromedp.CSS(".devices-button")), chromedp.WaitVisible(chromedp.CSS(".devices button")))
	desk.picture("devices")
	require.Equal(t, []string{"mobile"}, value[[]string](desk, `[...document.querySelectorAll(".devices li:has(button)")].map((row) => row.dataset.device)`))
	desk.run(chromedp.Click(chromedp.CSS(".devices button")))
	for _, p := range []*page{phone, other} {
		p.eventually("the phone says that it was signed out", func() bool {
			return strings.HasPrefix(p.text(".login .notice"), "You were signed out here")
		})
	}
	phone.picture("signed-out")
	desk.eventually("the desk says so too", func() bool { return desk.text("dialog [role=status]") == "Signed out on mobile." })
	require.Equal(t, "web (here)", desk.text(".devices strong"))
	require.False(t, value[bool](desk, `Boolean(document.querySelector(".devices button"))`))
	require.Equal(t, "Close", value[string](desk, "document.activeElement.textContent"), "the keyboard stays in the dialog")

	phone.run(chromedp.SendKeys(chromedp.CSS("#login-name"), "\r"))
	phone.online()
	require.Equal(t, "Connected", desk.text(".connection"))
	for _, p := range []*page{desk, phone, other} {
		p.healthy()
	}
}
