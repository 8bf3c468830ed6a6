//go:build services

package failures

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

// A database put back to an older copy, then new-epoch: no id is given twice, clients learn that their positions are
// void, what the copy holds is delivered, and what it lacks can be sent again. History is what was restored and what came
// after.
func TestSQL_PutBack(t *testing.T) { onStores(t, true, sqlPutBack) }

func sqlPutBack(t *testing.T, kind services.Kind) {
	w := found(t).on(kind).raise(2, nil)
	rose, jack := w.pair("back")
	epoch := jack.ledgerEpoch()
	w.eventually("the hello is proved", func() bool { return len(rose.proofs()) == 1 })
	jack.keepSilent(true)
	inTheCopy := rose.must(jack.name, "in the copy").MessageID
	jack.shows("back-hello", "in the copy")

	older := filepath.Join(w.dir, "older")
	w.stop()
	require.NoError(t, exec.CommandContext(t.Context(), "cp", "-a", w.data(), older).Run()) // with its owner and rights, which PostgreSQL looks at
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

	require.ErrorContains(t, w.nodes[0].Do(t.Context(), "new-epoch"), "nodes of a cluster share the ledger")
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
	conversation := jack.shownFirst().ConversationID
	w.historyIs(w.nodes[0], rose.name, conversation, "back-hello", "in the copy")
	due := []string{inTheCopy}
	for _, to := range []*person{jack, jill} {
		for _, msgid := range []string{"after", "lost to " + to.name} {
			sent := rose.must(to.name, msgid)
			require.False(t, sent.Duplicate, "%s is not in the copy", msgid)
			require.False(t, lost[sent.MessageID], "%s is given twice", sent.MessageID)
			due = append(due, sent.MessageID)
		}
	}
	jack.shows("in the copy", "after", "lost to back-jack")
	jill.shows("after", "lost to back-jill")
	for _, id := range due {
		w.eventually("it is proved", func() bool {
			rose.write(28, map[string]any{"pending": []string{id}}) // the session before has sent the first one
			return rose.wasProved(id)
		})
	}
	for _, reader := range []*person{rose, jack} {
		w.historyIs(w.nodes[1], reader.name, conversation, "back-hello", "in the copy", "after", "lost to back-jack")
	}
	w.historyIs(w.nodes[0], jill.name, jill.shownFirst().ConversationID, "after", "lost to back-jill")
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
