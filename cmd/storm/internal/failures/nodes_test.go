//go:build services

package failures

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/world"
	"github.com/yanlink/yanlink/deploy/services"
)

// ghostsGone is how long the design gives a killed node's users to be offline. What fails a test is ten times that.
const ghostsGone = 10 * time.Second

// kill -9 of a node: whoever was on it goes on elsewhere where it was, and whoever does not come back is offline.
func TestNode_Killed(t *testing.T) {
	w := foundBeside(t).raise(2, nil)
	rose, jack := w.pair("killed")
	gone := w.connect(w.nodes[1], "killed-gone", "web")
	w.becomes(w.nodes[0], gone.name, "online")
	require.NoError(t, w.nodes[1].Kill())
	killed := time.Now()
	var want []string
	for i := range few {
		rose.must(jack.name, fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
	}
	w.connect(w.nodes[0], jack.name, "web").shows(want...)
	w.becomes(w.nodes[0], gone.name, "offline")
	ghosts := time.Since(killed)
	t.Logf("the ghosts of the killed node were gone after %v", ghosts.Round(10*time.Millisecond))
	require.Less(t, ghosts, 10*ghostsGone)
	require.Equal(t, "online", w.presence(w.nodes[0], jack.name))
	require.NoError(t, w.nodes[1].Start(t.Context()))
	w.ok(w.nodes[1])
	require.Equal(t, "online", w.presence(w.nodes[1], jack.name), "the node's next life takes nothing from who moved")
}

// kill -9 between commit and reply: the repeat says duplicate or stores what was not stored, and there is one message.
func TestNode_KilledBeforeTheReply(t *testing.T) {
	w := foundBeside(t).raise(2, nil)
	_, jack := w.pair("reply")
	const kills = 12
	stored := 0
	want := jack.list()
	for i := range kills {
		rose := w.connect(w.nodes[0], "reply-sender", "web")
		msgid := fmt.Sprintf("reply-%d", i)
		want = append(want, msgid)
		rose.write(1, map[string]any{"toMessageId": jack.name, "message": "text of " + msgid, "fileType": 0, "msgid": msgid})
		time.Sleep(time.Duration(3*i) * time.Millisecond)
		require.NoError(t, w.nodes[0].Kill())
		require.NoError(t, w.nodes[0].Start(t.Context()))
		repeat := w.connect(w.nodes[1], "reply-sender", "web").must(jack.name, msgid)
		if repeat.Duplicate {
			stored++
		}
		jack.shows(want...)
	}
	t.Logf("%d of %d were stored before the kill", stored, kills)
}

// A node frozen for half a minute, by whatever, is no danger to what went on without it.
func TestNode_Frozen(t *testing.T) {
	w := foundBeside(t).raise(2, nil)
	rose, jack := w.pair("frozen")
	stays := w.connect(w.nodes[1], "frozen-stays", "web")
	w.becomes(w.nodes[0], stays.name, "online")
	require.NoError(t, w.nodes[1].Freeze())
	began := time.Now()
	moved := w.connect(w.nodes[0], jack.name, "web")
	var toStays []string
	for i := range few {
		rose.must(moved.name, fmt.Sprint(i))
		msgid := fmt.Sprintf("stays-%d", i)
		rose.must(stays.name, msgid)
		toStays = append(toStays, msgid)
	}
	w.becomes(w.nodes[0], stays.name, "offline")
	time.Sleep(time.Until(began.Add(30 * time.Second)))
	require.NoError(t, w.nodes[1].Thaw())
	stays.shows(toStays...)
	require.True(t, stays.alive())
	w.becomes(w.nodes[0], stays.name, "online")
	require.True(t, moved.alive(), "the older session of the same device gives way, not the newer one")
	<-jack.over
	require.Equal(t, "online", w.presence(w.nodes[0], moved.name))
	require.Len(t, moved.list(), few)
	w.traffic("after the freeze", rose, moved, many)
}

// A node keeps its id over restarts, and a second process under the id of a live node says who holds it and does not start.
func TestNode_IDHeldElsewhere(t *testing.T) {
	w := foundBeside(t).raise(2, nil)
	rose, jack := w.pair("held")
	second, err := world.NewNode(shared.bin, w.dir+"/second", w.first+1, w.Addresses(w.sso))
	require.NoError(t, err)
	t.Cleanup(func() { _ = second.Close() }) // it is not running
	require.Error(t, second.Start(t.Context()))
	require.Contains(t, tail(second.Log()), fmt.Sprintf("node.id %s is held by a live node at %s", world.Name(w.first+1), w.nodes[0].Address()))
	w.traffic("while another one wanted the name", rose, jack, few)
	rose.leave()
	require.NoError(t, w.nodes[0].Stop())
	require.NoError(t, w.nodes[0].Start(t.Context()))
	w.ok(w.nodes[0])
	w.traffic("the next life under the same id", w.connect(w.nodes[0], rose.name, "web"), jack, few)
}

// A node starts while the SSO is down: it says so, turns nobody away for good, and takes everybody when the SSO is there.
func TestNode_StartsWithoutSSO(t *testing.T) {
	w := foundBeside(t)
	sso, err := url.Parse(w.sso.URL())
	require.NoError(t, err)
	proxy := services.MustProxy(t, sso.Host)
	sso.Host = proxy.Addr
	proxy.Refuse()
	node := w.prepare(1, func(_ int, a *world.Addresses) { a.SSO = sso.String() })
	require.NoError(t, node.Start(t.Context()))
	w.eventually("after some failures it says so", func() bool {
		_, status := w.dial(node, "sso-early", "web")
		require.Equal(t, http.StatusServiceUnavailable, status)
		return w.health(node).Dependencies["sso"] != "ok"
	})
	w.degraded(node, "sso")
	require.NoError(t, proxy.Heal())
	w.eventually("the SSO is asked again", func() bool {
		_, status := w.dial(node, "sso-early", "web")
		return status == http.StatusSwitchingProtocols
	})
	w.ok(node)
}
