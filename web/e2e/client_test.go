//go:build e2e

package e2e

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/deathsig"
)

//go:embed person.js
var personScript string

// told is what a person says of itself; see person.js.
type told struct {
	Shown      [][2]any `json:"shown"` // seq and message, in the order they were shown
	Pending    int      `json:"pending"`
	Stored     int      `json:"stored"`
	Failed     []string `json:"failed"`
	Tokens     int      `json:"tokens"`
	Connection string   `json:"connection"`
	Device     string   `json:"device"`
	Unsent     int      `json:"unsent"`
}

// from returns what was shown of one speaker.
func (w told) from(name string) []string {
	said := []string{}
	for _, one := range w.Shown {
		if text := one[1].(string); strings.HasPrefix(text, name+" ") {
			said = append(said, text)
		}
	}
	return said
}

func numbered(name string, from, to int) []string {
	said := []string{}
	for n := from; n <= to; n++ {
		said = append(said, fmt.Sprintf("%s %d", name, n))
	}
	return said
}

// person is an application on the client, in a tab or in Node.js.
type person interface {
	say(name string, from, to int)
	told() told
}

// inTab runs the client in a tab that shows nothing of its own; what was shown is kept in the tab's storage.
type inTab struct{ *page }

func (b *browser) rose(t *testing.T, s *server) inTab {
	t.Helper()
	tab := inTab{b.person(t, s.url(""))}
	tab.begin("first")
	return tab
}

// begin starts the application on a page that was just loaded.
func (p inTab) begin(shelf string) {
	p.t.Helper()
	p.run(chromedp.WaitVisible(chromedp.CSS("#login-openid")))
	value[bool](p.page, personScript+fmt.Sprintf(`;(async () => {
		const { connect } = await import("./assets/yanlink.js");
		const shelf = { load: () => JSON.parse(localStorage.getItem(%[1]q) ?? "[]"), save: (shown) => localStorage.setItem(%[1]q, JSON.stringify(shown)) };
		globalThis.rose = person({ connect, base: location.href, me: "rose", peer: "will", shelf });
	})(), true`, shelf))
	p.eventually("it runs", func() bool { return value[bool](p.page, "Boolean(globalThis.rose)") })
}

func (p inTab) say(name string, from, to int) {
	p.t.Helper()
	value[bool](p.page, fmt.Sprintf("rose.say(%q, %d, %d), true", name, from, to))
}

func (p inTab) told() told {
	p.t.Helper()
	return value[told](p.page, "rose.state()")
}

// inNode runs the client in Node.js, where it is installed as a package.
type inNode struct {
	t       *testing.T
	calls   io.Writer
	answers *bufio.Scanner
}

func startNode(t *testing.T, s *server, me, peer string) *inNode {
	t.Helper()
	node, err := fetched("bin", "node")
	require.NoError(t, err)
	if _, err := os.Stat(node); err != nil {
		node = "node" // this system's is new enough
	}
	command := exec.Command(node, "--experimental-websocket", "--no-warnings", "person.mjs", s.url(""), me, peer)
	command.Dir = t.TempDir()
	out, err := exec.Command("../test/project.sh", command.Dir, "person.mjs", "person.js").CombinedOutput()
	require.NoError(t, err, "install the client: %s", out)
	command.Stderr = os.Stderr
	deathsig.Set(command, syscall.SIGKILL)
	calls, err := command.StdinPipe()
	require.NoError(t, err)
	answers, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start(), "start Node.js: web/e2e/install.sh brings it")
	t.Cleanup(func() {
		_ = calls.Close()
		_ = command.Wait()
	})
	scanner := bufio.NewScanner(answers)
	scanner.Buffer(nil, 1<<20)
	return &inNode{t: t, calls: calls, answers: scanner}
}

func (n *inNode) call(call ...any) (w told) {
	n.t.Helper()
	require.NoError(n.t, json.NewEncoder(n.calls).Encode(call))
	require.True(n.t, n.answers.Scan(), "Node.js has ended")
	require.NoError(n.t, json.Unmarshal(n.answers.Bytes(), &w))
	return w
}

func (n *inNode) say(name string, from, to int) { n.call("say", name, from, to) }

func (n *inNode) told() told { return n.call("state") }

// waitFor waits until somebody says of themselves what is wanted.
func waitFor(t *testing.T, what string, who person, holds func(told) bool) {
	t.Helper()
	var last told
	if !poll(func() bool { last = who.told(); return holds(last) }) {
		require.FailNow(t, "never came true: "+what, "%+v", last)
	}
}

// TestClient_Promises is what the client promises, in Chromium and in Node.js against one server: 200 messages each way
// while the server is killed five times, one tab is reloaded twice, a second one comes and goes and a token is renewed.
// Each message is shown once and in order, and every promise settles.
func TestClient_Promises(t *testing.T) {
	const rounds, each = 5, 40
	server := startServer(t)
	will := startNode(t, server, "will", "rose")
	waitFor(t, "will is online", will, func(w told) bool { return w.Connection == "online" })
	browser := startBrowser(t)
	rose := browser.rose(t, server)
	waitFor(t, "rose is online", rose, func(w told) bool { return w.Connection == "online" })
	var second inTab

	for round := range rounds {
		from, to := round*each+1, (round+1)*each
		if round == 2 {
			second = inTab{rose.tab(server.url(""))}
			second.begin("second")
			waitFor(t, "the second tab is online", second, func(w told) bool { return w.Connection == "online" })
		}
		will.say("will", from, to)
		rose.say("rose", from, to)
		tokens := rose.told().Tokens
		if round == 4 { // while all is on its way, and with the server about to be killed
			value[bool](rose.page, "rose.link.renew().then(() => { globalThis.renewed = true; }), true")
		}
		if round == 2 {
			second.say("second", 1, 10)
		}
		time.Sleep(150 * time.Millisecond) // in the middle of what they say
		server.kill(t)
		waitFor(t, "all is said", rose, func(w told) bool { return w.Pending+w.Stored >= each })
		time.Sleep(300 * time.Millisecond) // what was shown is written down, what was said is kept
		reload := round == 1 || round == 3 // with unsent messages, and acknowledgements that no server heard
		if reload {
			require.Positive(t, rose.told().Unsent)
			rose.run(chromedp.Navigate("about:blank")) // no page can load now
		}
		server.start(t)
		if reload {
			rose.run(chromedp.Navigate(server.url("")))
			rose.begin("first")
		}
		waitFor(t, "rose has shown what will said", rose, func(w told) bool { return len(w.from("will")) >= to })
		waitFor(t, "will has shown what rose said", will, func(w told) bool { return len(w.from("rose")) >= to })
		if round == 2 {
			waitFor(t, "the second tab's messages are stored", second, func(w told) bool { return w.Stored == 10 })
			waitFor(t, "the second tab has shown the last", second, func(w told) bool {
				shown := w.from("will")
				return len(shown) > 0 && shown[len(shown)-1] == fmt.Sprintf("will %d", to)
			})
			shown := second.told().from("will")
			require.Equal(t, numbered("will", from, to), shown, "the second tab shows what comes while it is there")
			require.Equal(t, rose.told().Device, second.told().Device)
			second.close()
		}
		if round == 4 {
			rose.eventually("the token is renewed", func() bool { return value[bool](rose.page, "globalThis.renewed === true") })
			require.Greater(t, rose.told().Tokens, tokens)
		}
	}

	for _, who := range []person{rose, will} {
		waitFor(t, "every promise settles", who, func(w told) bool { return w.Pending == 0 && w.Unsent == 0 })
		require.Empty(t, who.told().Failed)
		require.Equal(t, "online", who.told().Connection)
	}
	time.Sleep(4 * time.Second) // longer than the server waits before it sends again: what comes twice has come
	require.Equal(t, numbered("will", 1, rounds*each), rose.told().from("will"))
	require.Equal(t, numbered("rose", 1, rounds*each), will.told().from("rose"))
	require.Equal(t, numbered("second", 1, 10), will.told().from("second"))
	require.Equal(t, rounds*each, will.told().Stored)
	rose.healthy()
}
