package pebblestore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func headAt(id ws.ConversationID, at ws.Millis) ws.Head {
	return ws.Head{Conversation: id, Last: 1, UpdatedAt: at}
}

// After one scan, whatever is asked for from there on is remembered: also where a record is of a clock that was ahead, and the last
// one before was a moment ago.
func TestRecent_Learn(t *testing.T) {
	const now = ws.Millis(1_700_000_000_000)
	r := newRecent()
	_, known := r.since(now)
	require.False(t, known, "nothing was looked through")
	r.learn([]ws.Head{headAt(1, now), headAt(2, now+8*3600*1000)}, now-1)
	found, known := r.since(now)
	require.True(t, known)
	require.Len(t, found, 2)
	r.note(headAt(3, now+5))
	found, known = r.since(now + 1)
	require.True(t, known)
	require.ElementsMatch(t, []ws.Head{headAt(2, now+8*3600*1000), headAt(3, now+5)}, found)
	_, known = r.since(now - 1)
	require.False(t, known, "what is older was not kept")
}

// However many conversations are written to, those of the last half minute are remembered.
func TestRecent_Many(t *testing.T) {
	r := newRecent()
	r.learn(nil, 0)
	now := ws.Millis(1_700_000_000_000)
	for id := range ws.ConversationID(3 * recentKept) {
		now += ws.Millis(id % 2)
		r.note(headAt(id, now))
		if id%10_000 == 0 {
			_, known := r.since(now - recentFor)
			require.True(t, known)
		}
	}
	require.Less(t, len(r.heads), 3*recentKept, "what is older is forgotten")
}
