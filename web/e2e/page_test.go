//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestPage_Conversation is the promise of the whole thing, seen through two browsers: every message stands once and in
// order in both, its sender sees it delivered, and a server that dies without a word costs nothing.
func TestPage_Conversation(t *testing.T) {
	server := startServer(t)
	browser := startBrowser(t)
	will := browser.person(t, server.url("?as=will&name=Will&with=rose"))
	will.online()
	rose := browser.person(t, server.url("?as=rose&name=Rose&with=will"))
	rose.online()
	said := []string{}
	both := func(text string, by *page) {
		by.say(text)
		said = append(said, text)
	}

	both("Good morning, Will", rose)
	will.eventually("the first message arrives", func() bool { return len(will.messages()) == 1 })
	both("Good morning! Did the parcel come?", will)
	rose.eventually("the answer arrives", func() bool { return len(rose.messages()) == 2 })
	rose.eventually("it is read, as will looks at it", func() bool { return rose.messages()[0].State == "read" })
	require.Regexp(t, `^read \(web, \d\d?:\d\d:\d\d.*\)$`, rose.messages()[0].Said)

	for round := range 3 {
		both(fmt.Sprintf("Just before the power cut %d", round), rose)
		server.kill(t)
		for _, p := range []*page{rose, will} {
			p.eventually("the page notices", func() bool { return strings.HasPrefix(p.text(".connection"), "Disconnected") })
		}
		for n := range 3 {
			rose.say(fmt.Sprintf("Rose, while it was down %d.%d", round, n))
			will.say(fmt.Sprintf("Will, while it was down %d.%d", round, n))
		}
		require.Equal(t, "sending", rose.messages()[len(rose.messages())-1].State)
		rose.picture(fmt.Sprintf("down-%d", round))
		server.start(t)
		agree(t, rose, will, len(said)+6)
		said = rose.texts()
	}
	inOrder(t, said)
	rose.eventually("presence is right again", func() bool { return strings.Contains(rose.text(".presence"), "online · web") })
	rose.picture("rose")
	will.picture("will")

	t.Run("Reload", func(t *testing.T) {
		rose.run(chromedp.Reload())
		rose.online()
		rose.eventually("the same conversation", func() bool { return strings.Join(rose.texts(), "\n") == strings.Join(said, "\n") })
		rose.eventually("the proofs too", func() bool { return delivered(rose) })
		require.Contains(t, rose.text(".me"), "rose · web")
	})

	t.Run("SecondTab", func(t *testing.T) {
		second := rose.tab(server.url("?as=rose&name=Rose&with=will"))
		second.online()
		require.Contains(t, second.text(".me"), "rose · web", "tabs share one connection, so they are one device")
		second.say("From the second tab")
		will.say("To both tabs")
		said = append(said, "From the second tab", "To both tabs")
		for _, p := range []*page{rose, second, will} {
			p.eventually("everything in every tab", func() bool { return same(p.texts(), said) })
		}
		for _, p := range []*page{rose, second} {
			require.Equal(t, "Connected", p.text(".connection"), "the tabs must not take the connection from each other")
		}
		second.healthy()
	})

	rose.healthy()
	will.healthy()
	for _, text := range append(said, "token") {
		require.NotContains(t, server.log.String(), text, "no message and no token may reach a log")
	}
}

// agree waits until both pages show the same so many messages, each once, all delivered.
func agree(t *testing.T, rose, will *page, count int) {
	t.Helper()
	for _, p := range []*page{rose, will} {
		p.eventually("all messages, all delivered", func() bool { return len(p.messages()) >= count && delivered(p) })
	}
	require.Equal(t, rose.texts(), will.texts(), "both pages in the same order")
	require.Len(t, rose.texts(), count)
	seen := map[string]bool{}
	seq := 0
	for _, message := range rose.messages() {
		require.False(t, seen[message.Text], "%q stands twice", message.Text)
		seen[message.Text] = true
		require.Greater(t, message.Seq, seq)
		seq = message.Seq
	}
}

// inOrder checks that what one person typed stands in the order they typed it.
func inOrder(t *testing.T, said []string) {
	t.Helper()
	for _, person := range []string{"Rose", "Will"} {
		var own []string
		for _, text := range said {
			if strings.HasPrefix(text, person+", while") {
				own = append(own, text)
			}
		}
		require.Len(t, own, 9)
		require.IsIncreasing(t, own)
	}
}

// delivered reports whether all of a person's own messages were, and maybe read.
func delivered(p *page) bool {
	for _, message := range p.messages() {
		if message.Mine && message.State != "delivered" && message.State != "read" {
			return false
		}
	}
	return true
}

func same(a, b []string) bool {
	in := map[string]int{}
	for _, text := range a {
		in[text]++
	}
	for _, text := range b {
		in[text]--
	}
	for _, n := range in {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestPage_WayIn(t *testing.T) {
	server := startServer(t)
	browser := startBrowser(t)

	t.Run("OK", func(t *testing.T) {
		p := browser.person(t, server.url(""))
		p.run(chromedp.WaitVisible(chromedp.CSS("#login-openid")))
		p.picture("login")
		p.run(
			chromedp.SendKeys(chromedp.CSS("#login-openid"), "anna"),
			chromedp.SendKeys(chromedp.CSS("#login-name"), "Anna\r"),
		)
		p.online()
		p.picture("empty")
		require.Contains(t, p.text(".me"), "Anna")

		p.run(chromedp.Click(chromedp.CSS(".log-out")), chromedp.WaitVisible(chromedp.CSS("#login-openid")))
		p.run(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS("#login-openid")))
		p.healthy()
	})

	t.Run("ErrUnknownUser", func(t *testing.T) {
		p := browser.person(t, server.url("?as=anna&name=Anna"))
		p.online()
		p.run(chromedp.SendKeys(chromedp.CSS("#begin"), "nobody\r"), chromedp.WaitVisible(chromedp.CSS("#compose")))
		p.say("Is anybody there?")
		p.eventually("told that nobody is", func() bool {
			messages := p.messages()
			return len(messages) == 1 && strings.HasPrefix(messages[0].Said, "not sent: nobody has logged in with this openid yet")
		})
		p.picture("refused")
		p.healthy()
	})

	t.Run("Unread", func(t *testing.T) {
		anna := browser.person(t, server.url("?as=anna&name=Anna"))
		anna.online()
		carl := browser.person(t, server.url("?as=carl&name=Carl&with=anna"))
		carl.online()
		for _, text := range []string{"One", "Two"} {
			carl.say(text)
		}
		anna.eventually("two unread", func() bool { return anna.text(".unread") == "2" })
		anna.picture("unread")
		require.Equal(t, "(2) Anna · Yanlink", value[string](anna, "document.title"))
		anna.run(chromedp.Click(chromedp.CSS(`button[data-peer="carl"]`)))
		anna.eventually("read", func() bool { return anna.text(".unread") == "" && len(anna.messages()) == 2 })
		anna.run(chromedp.Reload())
		anna.online()
		anna.eventually("still read", func() bool { return anna.text(".unread") == "" && len(anna.messages()) == 2 })
		anna.healthy()
	})

	t.Run("TakeBack", func(t *testing.T) {
		emil := browser.person(t, server.url("?as=emil&name=Emil"))
		emil.online()
		fred := browser.person(t, server.url("?as=fred&name=Fred&with=emil"))
		fred.online()
		other := fred.tab(server.url("?as=fred&name=Fred&with=emil"))
		other.online()
		fred.say("Not meant for you")
		fred.eventually("it is delivered", func() bool { return delivered(fred) && len(fred.messages()) == 1 })
		emil.run(chromedp.Click(chromedp.CSS(`button[data-peer="fred"]`)))
		emil.eventually("it is shown", func() bool { return len(emil.messages()) == 1 })
		fred.run(chromedp.Click(chromedp.CSS(".recall")))
		for _, p := range []*page{fred, other, emil} {
			p.eventually("it is taken back", func() bool { return same(p.texts(), []string{"taken back"}) })
			p.healthy()
		}
		emil.run(chromedp.Reload())
		emil.online()
		emil.eventually("it stays so", func() bool { return same(emil.texts(), []string{"taken back"}) })
	})

	t.Run("Markup", func(t *testing.T) {
		const markup = `<img src=x onerror="document.title='broken in'"> & <b>bold</b>`
		p := browser.person(t, server.url("?as=gina&name=%3Ci%3EGina%3C%2Fi%3E&with=carl"))
		p.online()
		p.say(markup)
		p.eventually("it stands as it was typed", func() bool { return same(p.texts(), []string{markup}) })
		require.Contains(t, p.text(".me"), "<i>Gina</i>")
		require.False(t, value[bool](p, `Boolean(document.querySelector("#app :is(b, i, li img)"))`))
		p.healthy()
	})

	t.Run("NarrowAndDark", func(t *testing.T) {
		p := browser.person(t, server.url("?as=carl&name=Carl"),
			chromedp.EmulateViewport(390, 780), dark)
		p.online()
		p.picture("narrow-list")
		p.run(chromedp.Click(chromedp.CSS(`button[data-peer="anna"]`)), chromedp.WaitVisible(chromedp.CSS("#compose")))
		p.eventually("the conversation", func() bool { return len(p.messages()) == 2 })
		p.picture("narrow-thread")
		require.False(t, value[bool](p, "document.documentElement.scrollWidth > innerWidth"), "nothing may be wider than the screen")
		p.run(chromedp.Click(chromedp.CSS(".back")), chromedp.WaitVisible(chromedp.CSS("#begin")))
		p.healthy()
	})
}

// TestPage_OwnSignOn is the page of a server without the development login: it asks for a token, and says so.
func TestPage_OwnSignOn(t *testing.T) {
	const token = "a-token-of-their-own"
	sso := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"openid":"dora","userName":"Dora"}`))
	}))
	t.Cleanup(sso.Close)
	server := startServer(t, "YANLINK_SSO_URL="+sso.URL)
	p := startBrowser(t).person(t, server.url("?as=rose"))
	field := chromedp.CSS("#login-token")
	p.run(chromedp.WaitVisible(field))
	require.Contains(t, p.text(".notice"), "no development login")
	p.looks("token")

	p.run(chromedp.SendKeys(field, "a guess"), enter)
	p.eventually("a wrong token is refused", func() bool { return p.text(".problem") == "The server does not accept this." })
	p.run(chromedp.SetValue(field, token), enter)
	p.online()
	require.Contains(t, p.text(".me"), "Dora")
	p.run(chromedp.Reload())
	p.online()
	p.healthy()
	require.NotContains(t, server.log.String(), token)
}
