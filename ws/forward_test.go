package ws_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// Whoever was found a moment ago is told before the registry is asked again.
func TestForward_RingsWhereUsersWereFound(t *testing.T) {
	w := newTown(t)
	one := w.node(1, func(o *ws.Options) { o.RegistryTimeout = patience })
	two := w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	for _, msgid := range []string{"m1", "m2"} { // of which the first one is read from the ledger
		rose.send("jack", "hello", msgid)
		jack.expect(2)
	}
	release := one.registry.Hold()
	rose.send("jack", "hello", "m3")
	require.Equal(t, "m3", jack.expect(2).p.MsgID)
	release()
	require.Equal(t, 2, two.paths.count(ws.PathBus))
}

// Whoever has gone elsewhere since is told there, once the registry was asked.
func TestForward_FindsWhoHasMoved(t *testing.T) {
	w := newTown(t)
	one, two, three := w.node(1, nil), w.node(2, nil), w.node(3, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	rose.send("jack", "hello", "m1")
	jack.expect(2)
	jack.ack("m1", "rose")
	moved := three.connect("jack", "web")
	jack.closed()
	two.connect("jack", "phone") // and is where he was, as well
	w.settled(3, "rose", "jack")
	for _, msgid := range []string{"m2", "m3"} {
		rose.send("jack", "hello", msgid)
		require.Equal(t, msgid, moved.expect(2).p.MsgID)
	}
	require.Positive(t, three.paths.count(ws.PathBus), "nobody looks into the ledger again")
}
