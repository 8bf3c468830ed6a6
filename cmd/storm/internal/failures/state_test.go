//go:build services

package failures

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sloth is ten times what the design asks of state that has to be seen on another node.
const sloth = 10 * time.Second

// state is a frame that is told once and never queued.
type state struct {
	kind string
	frame
	at time.Time
}

// awaits waits until a person was told of something, and returns when that was.
func (p *person) awaits(what, kind string, is func(frame) bool) (at time.Time) {
	p.w.Helper()
	p.w.eventually(p.name+" is told: "+what, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		i := slices.IndexFunc(p.states, func(s state) bool { return s.kind == kind && is(s.frame) })
		if i < 0 {
			return false
		}
		at = p.states[i].at
		p.states = slices.Delete(p.states, i, i+1)
		return true
	})
	return at
}

// untold returns what a person was told of and nobody has waited for.
func (p *person) untold() []state {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.states)
}

// forget drops what a person was told of and nobody has waited for.
func (p *person) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states = nil
}

// standing reports whether a frame says how it stands with a user, with these devices.
func standing(user, status string, devices ...string) func(frame) bool {
	return func(f frame) bool {
		return f.OpenID == user && f.Status == status && slices.Equal(f.Devices, devices)
	}
}

// TestState_AcrossNodes holds presence, read marks and signals on real Redis and RocketMQ: what happens on one node is told on
// another within about a second, and a reconnect is not seen.
func TestState_AcrossNodes(t *testing.T) {
	w := foundBeside(t).raise(2, nil)
	rose := w.connect(w.nodes[0], "rose", "web")
	rose.write(23, map[string]any{"users": []string{"jack"}})
	rose.awaits("the answer", "23", func(f frame) bool { return len(f.Users) == 1 && f.Users[0].Status == "offline" })

	began := time.Now()
	jack := w.connect(w.nodes[1], "jack", "web")
	took := rose.awaits("jack is there", "24", standing("jack", "online", "web")).Sub(began)
	t.Logf("online was told after %v", took)
	require.Less(t, took, sloth)

	jack.leave()
	jack = w.connect(w.nodes[1], "jack", "web") // at once
	phone := w.connect(w.nodes[0], "jack", "phone")
	rose.awaits("the other device", "24", standing("jack", "online", "web", "phone"))
	require.Empty(t, rose.untold(), "the reconnect is not seen")

	rose.must("jack", "m1")
	jack.shows("m1")
	began = time.Now()
	jack.write(25, map[string]any{"conversationId": jack.shownFirst().ConversationID, "seq": 1})
	read := func(f frame) bool { return f.User == "jack" && f.Seq == 1 }
	for _, told := range []*person{rose, phone} {
		took = told.awaits("jack has read", "26", read).Sub(began)
		t.Logf("%s was told of the mark after %v", told.name, took)
		require.Less(t, took, sloth)
	}

	began = time.Now()
	rose.write(27, map[string]any{"toMessageId": "jack", "signal": "typing"})
	for _, told := range []*person{jack, phone} {
		took = told.awaits("rose is typing", "27", func(f frame) bool { return f.Signal == "typing" }).Sub(began)
		t.Logf("a signal came after %v", took)
		require.Less(t, took, sloth)
	}

	phone.leave()
	began = time.Now()
	jack.leave()
	took = rose.awaits("jack is gone", "24", standing("jack", "offline")).Sub(began)
	t.Logf("offline was told after %v, of which 2s are for coming back", took)
	require.Less(t, took, sloth)

	rose.forget() // one of the two devices may have been told of as gone before the other
	w.connect(w.nodes[1], "jack", "web")
	rose.awaits("jack is there again", "24", standing("jack", "online", "web"))
	began = time.Now()
	require.NoError(t, w.nodes[1].Kill())
	took = rose.awaits("jack is gone with the node", "24", standing("jack", "offline")).Sub(began)
	t.Logf("offline by the death of a node was told after %v", took)
}
