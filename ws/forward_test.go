package ws_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// acquaint has sender's node find receiver's, which is where nothing but the bus brings messages then.
func acquaint(sender, receiver *client, there *member) {
	for there.paths.count(ws.PathBus) == 0 {
		sent := sender.send(receiver.user, "hello", "")
		got := receiver.expect(2)
		require.Equal(there.t, sent.p.MessageID, got.MessageID)
		receiver.ack(got.p.MsgID, sender.user)
	}
}

// Whoever was found a moment ago is told before the registry is asked again, and while it takes its time.
func TestForward_RingsWhereUsersWereFound(t *testing.T) {
	w := newTown(t)
	one := w.node(1, func(o *ws.Options) { o.RegistryTimeout = patience })
	two := w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	acquaint(rose, jack, two)
	before := two.paths.count(ws.PathBus)
	release := one.registry.Hold()
	defer release()
	for _, msgid := range []string{"m2", "m3", "m4"} {
		rose.send("jack", "hello", msgid)
		require.Equal(t, msgid, jack.expect(2).p.MsgID)
		jack.ack(msgid, "rose")
	}
	require.Equal(t, before+3, two.paths.count(ws.PathBus))
}

// A registry that fails changes nothing for those who are where they were.
func TestForward_RegistryFails(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	acquaint(rose, jack, two)
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
	acquaint(rose, jack, two)
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

// questioned is a registry that tells when it is asked where somebody is.
type questioned struct {
	ws.Registry
	about string
	asked chan struct{}
}

func (q *questioned) Locate(ctx context.Context, users []string) ([]ws.Route, error) {
	if slices.Contains(users, q.about) {
		select {
		case q.asked <- struct{}{}:
		default:
		}
	}
	return q.Registry.Locate(ctx, users)
}

// What is sent while the registry takes its time with a question is told where the answer to that says.
func TestForward_RingsWhatCameMeanwhile(t *testing.T) {
	w := newTown(t)
	registry := &questioned{about: "will", asked: make(chan struct{}, 1)}
	one := w.node(1, func(o *ws.Options) {
		registry.Registry, o.Registry, o.RegistryTimeout = o.Registry, registry, patience
	})
	two, three := w.node(2, nil), w.node(3, func(o *ws.Options) { o.ResendAfter = patience })
	rose, jack := one.connect("rose", "web"), two.connect("jack", "web")
	two.connect("will", "web")
	w.settled(3, "rose", "jack", "will")
	acquaint(rose, jack, two)
	moved, phone := three.connect("jack", "web"), three.connect("jack", "phone")
	jack.closed()
	w.settled(4, "rose", "jack", "will")
	for three.paths.count(ws.PathLocal) == 0 { // until what is rung comes in time, and not with what the ledger is read for
		own := moved.send("rose", "from there", "")
		require.Equal(t, own.p.MessageID, phone.expect(2).MessageID)
	}
	release := one.registry.Hold()
	defer release()
	rose.send("jack", "hello", "m2")
	rose.send("will", "hello", "m3") // of whom is asked at once, and of jack with him
	<-registry.asked
	old := two.paths.bell("received")
	rose.send("jack", "hello", "m4")
	w.eventually("jack is told where he was", func() bool { return two.paths.bell("received") > old })
	release()
	for _, msgid := range []string{"m2", "m4"} {
		require.Equal(t, msgid, phone.expect(2).p.MsgID)
	}
}
