//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestPage_State is what two people see of each other besides their messages: who is there, who is typing, and what was read.
func TestPage_State(t *testing.T) {
	server := startServer(t)
	browser := startBrowser(t)
	will := browser.person(t, server.url("?as=will&name=Will"))
	will.online()
	rose := browser.person(t, server.url("?as=rose&name=Rose&with=will"))
	rose.online()
	sees := func(presence string) func() bool {
		return func() bool { return strings.Contains(rose.text(".presence"), presence) }
	}
	last := func(of *page, want string) func() bool {
		return func() bool {
			messages := of.messages()
			return len(messages) > 0 && messages[len(messages)-1].State == want
		}
	}

	t.Run("Presence", func(*testing.T) { // the tabs are the whole test's
		rose.eventually("will is there", sees("online · web"))
		will.close()
		rose.eventually("will is gone", sees("offline")) // the page asks by itself once a minute only
		will = browser.person(t, server.url("?as=will&name=Will"))
		will.online()
		rose.eventually("will is there again", sees("online · web"))
	})

	t.Run("Reads", func(t *testing.T) {
		rose.say("Have you seen this?")
		rose.eventually("it is delivered", last(rose, "delivered"))
		will.eventually("it counts", func() bool { return will.text(".unread") == "1" })
		will.run(chromedp.Click(chromedp.CSS(`button[data-peer="rose"]`)))
		rose.eventually("it is read", last(rose, "read"))
		rose.run(chromedp.Reload())
		rose.online()
		rose.eventually("it stays read", last(rose, "read"))
	})

	t.Run("Typing", func(t *testing.T) {
		require.Empty(t, rose.text(".thread .types"))
		will.run(chromedp.SendKeys(chromedp.CSS("#compose"), "Let me see"))
		rose.eventually("will is typing", func() bool { return rose.text(".thread .types") == "typing…" })
		rose.picture("typing")
		will.run(enter)
		rose.eventually("the message instead", func() bool { return len(rose.messages()) == 2 && rose.text(".thread .types") == "" })
		will.eventually("it is read at once", last(will, "read"))
	})

	t.Run("ReadWhileAway", func(t *testing.T) {
		will.say("And another thing")
		will.eventually("it is read", last(will, "read"))
		server.kill(t)
		will.eventually("will notices", func() bool { return strings.HasPrefix(will.text(".connection"), "Disconnected") })
		rose.eventually("nobody knows who is there", sees("presence unknown"))
		server.start(t)
		will.online()
		will.eventually("it is read still", last(will, "read"))
		rose.online()
		rose.eventually("presence is asked for again", sees("online · web"))
	})

	elsewhere := browser.person(t, server.url("?as=will&name=Will"))
	elsewhere.eventually("the server counts it as read", func() bool {
		return elsewhere.text(`[data-peer="rose"]`) != "" && elsewhere.text(".unread") == ""
	})
	for _, p := range []*page{rose, will, elsewhere} {
		p.healthy()
	}
}
