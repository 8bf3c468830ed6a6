//go:build services

package failures

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A database put back to an older copy, then new-epoch: no id is given twice, clients learn that their positions are
// void, what the copy holds is delivered, and what it lacks can be sent again.
func TestSQL_PutBack(t *testing.T) {
	w := newTown(t, 2, nil)
	rose, jack := w.pair("back")
	epoch := jack.ledgerEpoch()
	w.eventually("the hello is proved", func() bool { return len(rose.proofs()) == 1 })
	jack.keepSilent(true)
	rose.must(jack.name, "in the copy")
	jack.shows("back-hello", "in the copy")

	older := filepath.Join(w.dir, "older")
	w.stop()
	require.NoError(t, os.CopyFS(older, os.DirFS(w.data())))
	require.NoError(t, w.SQL.Restart(t.Context()))
	w.start()
	rose, jack = w.two("back")
	jill := w.connect(w.nodes[1], "back-jill", "web")
	lost := map[string]bool{}
	for _, to := range []*person{jack, jill} {
		lost[rose.must(to.name, "lost to "+to.name).MessageID] = true
	}
	jack.shows("in the copy", "lost to back-jack")
	jill.shows("lost to back-jill")

	w.stop()
	require.NoError(t, os.RemoveAll(w.data()))
	require.NoError(t, os.Rename(older, w.data()))
	require.NoError(t, w.SQL.Restart(t.Context()))
	require.NoError(t, w.nodes[0].Do(t.Context(), "new-epoch"))
	w.start()
	rose, jack = w.two("back")
	jill = w.connect(w.nodes[1], "back-jill", "web")
	require.Equal(t, epoch+1, jack.ledgerEpoch())
	jack.shows("in the copy")
	for _, to := range []*person{jack, jill} {
		for _, msgid := range []string{"after", "lost to " + to.name} {
			sent := rose.must(to.name, msgid)
			require.False(t, sent.Duplicate, "%s is not in the copy", msgid)
			require.False(t, lost[sent.MessageID], "%s is given twice", sent.MessageID)
		}
	}
	jack.shows("in the copy", "after", "lost to back-jack")
	jill.shows("after", "lost to back-jill")
	w.eventually("all of it is proved", func() bool { return len(rose.proofs()) == 5 })
}

// data is where the database keeps everything.
func (w *town) data() string { return filepath.Join(shared.dir, string(w.SQL.Kind), "data") }

// stop stops all nodes, and then the database.
func (w *town) stop() {
	w.Helper()
	for _, node := range w.nodes {
		require.NoError(w, node.Stop())
	}
	require.NoError(w, w.SQL.Stop(w.Context()))
}

// start starts all nodes again.
func (w *town) start() {
	w.Helper()
	for _, node := range w.nodes {
		require.NoError(w, node.Start(w.Context()))
	}
}
