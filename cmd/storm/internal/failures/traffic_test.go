//go:build services

package failures

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

// pace is the time between two messages of a traffic.
const pace = 20 * time.Millisecond

// traffic sends n messages from one person to another, waits until all were shown, each once and in order, and logs how
// long that took from the 0 on. what names the figure.
func (w *town) traffic(what string, from, to *person, n int) {
	w.Helper()
	before := len(to.list())
	want := to.list()
	accepted := map[string]time.Time{}
	for i := range n {
		msgid := fmt.Sprintf("%s-%s-%d-%d", from.name, to.name, before, i)
		want = append(want, msgid)
		accepted[msgid] = from.must(to.name, msgid).at
		time.Sleep(pace)
	}
	to.shows(want...)
	var took []time.Duration
	to.mu.Lock()
	for _, r := range to.shown[before:] {
		took = append(took, max(0, r.at.Sub(accepted[r.MsgID])))
	}
	to.mu.Unlock()
	slices.Sort(took)
	w.Logf("%s: %s", what, figuresOf(took))
}

// two connects two people, each on a node of their own.
func (w *town) two(name string) (rose, jack *person) {
	w.Helper()
	return w.connect(w.nodes[0], name+"-rose", "web"), w.connect(w.nodes[1], name+"-jack", "web")
}

// pair connects two people who have not met, and has one write to the other.
func (w *town) pair(name string) (rose, jack *person) {
	w.Helper()
	rose, jack = w.two(name)
	require.Empty(w, rose.must(jack.name, name+"-hello").Code)
	jack.shows(name + "-hello")
	return rose, jack
}
