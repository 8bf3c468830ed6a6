package ws_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// Whoever was found a moment ago is told before the registry is asked again, and while it takes its time.
func TestForward_RingsWhereUsersWereFound(t *testing.T) {
	w := newTown(t)
	one := w.node(1, func(o *ws.Options) { o.RegistryTimeout = patience })
	two := w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	rose.send("jack", "hello", "m1") // read from the ledger
	jack.expect(2)
	jack.ack("m1", "rose")
	release := one.registry.Hold()
	defer release()
	for _, msgid := range []string{"m2", "m3", "m4"} {
		rose.send("jack", "hello", msgid)
		require.Equal(t, msgid, jack.expect(2).p.MsgID)
		jack.ack(msgid, "rose")
	}
	require.Equal(t, 3, two.paths.count(ws.PathBus))
}

// A registry that fails loses nothing for those who are where they were, and who has moved is told once it answers again.
func TestForward_RegistryFails(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	rose.send("jack", "hello", "m1")
	jack.expect(2)
	jack.ack("m1", "rose")
	one.registry.Fail(errors.New("cut off"))
	rose.send("jack", "hello", "m2")
	require.Equal(t, "m2", jack.expect(2).p.MsgID)
	jack.ack("m2", "rose")
	w.eventually("it is said that nobody was asked", func() bool { return one.paths.bell("unsent") > 0 })
	one.registry.Fail(nil)
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
		moved.ack(msgid, "rose")
	}
	require.Positive(t, three.paths.count(ws.PathBus), "nobody looks into the ledger again")
}
