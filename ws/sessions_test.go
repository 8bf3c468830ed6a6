package ws_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// ends reads to the end of a client's connection, as one does that answers a close at once.
func ends(c *client) <-chan int {
	code := make(chan int, 1)
	go func() {
		for {
			if _, err := c.next(); err != nil {
				var closed *websocket.CloseError
				if !errors.As(err, &closed) {
					closed = &websocket.CloseError{}
				}
				code <- closed.Code
				return
			}
		}
	}()
	return code
}

func TestCluster_Sessions(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	one.connect("jack", "web")
	two.connect("jack", "phone")
	rose := one.connect("rose", "web")
	w.settled(3, "jack", "rose")
	rose.send("jack", "hello", "m1")
	list, err := one.gateway.Sessions(t.Context(), "jack")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, []any{"phone", "n2", -1, 1}, []any{list[0].Device, list[0].Node, list[0].Window, list[0].Pending})
	require.Equal(t, []any{"web", "n1", 1}, []any{list[1].Device, list[1].Node, list[1].Pending})
}

func TestCluster_EndSession(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	two.connect("jack", "web")
	phone := ends(two.connect("jack", "phone"))
	w.settled(2, "jack")
	list, err := one.gateway.Sessions(t.Context(), "jack")
	require.NoError(t, err)
	require.NoError(t, one.gateway.EndSession(t.Context(), list[0].ID))
	require.Equal(t, protocol.CloseForbidden, <-phone)
	left, err := one.gateway.Sessions(t.Context(), "jack")
	require.NoError(t, err)
	require.Equal(t, list[1:], left, "it is gone on all nodes when EndSession returns")
	require.ErrorIs(t, one.gateway.EndSession(t.Context(), list[0].ID), ws.ErrNotFound)
	require.ErrorIs(t, one.gateway.EndSession(t.Context(), "jack"), ws.ErrNotFound)
}

// A registry that has lost everything knows of nobody: then it is not said that somebody is gone who is not.
func TestCluster_EndSessionsOfALostRoute(t *testing.T) {
	w := newTown(t)
	slowly := func(o *ws.Options) { o.BeatEvery = 100 * time.Millisecond }
	one, two := w.node(1, slowly), w.node(2, slowly)
	jack := ends(two.connect("jack", "web"))
	w.settled(1, "jack")
	w.directory.Forget()
	list, err := one.gateway.Presence(t.Context(), "", []string{"jack", "rose"})
	require.NoError(t, err)
	require.Equal(t, []string{"unknown", "unknown"}, []string{list[0].Status, list[1].Status})
	w.eventually("the sessions are ended", func() bool {
		_, err := one.gateway.EndSessions(t.Context(), "jack")
		if err != nil {
			require.ErrorIs(t, err, protocol.NewError(protocol.Overloaded, ""))
		}
		return err == nil
	})
	select {
	case code := <-jack:
		require.Equal(t, protocol.CloseForbidden, code)
	case <-time.After(patience):
		t.Fatal("it was said that jack is gone")
	}
	list, err = one.gateway.Presence(t.Context(), "", []string{"rose"})
	require.NoError(t, err)
	require.Equal(t, "offline", list[0].Status)
}

// What the bus brings again, of a user who was signed out, is not about the session that the user has since begun.
func TestCluster_EndSessionsComesAgain(t *testing.T) {
	w := newTown(t)
	var later atomic.Int64
	clock := func(o *ws.Options) { o.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) } }
	one, two := w.node(1, clock), w.node(2, clock)
	w.broker.Fault(memory.Faults{Repeat: 1, Late: 1, Delay: 100 * time.Millisecond})
	for range 5 {
		jack := ends(two.connect("jack", "web"))
		w.settled(1, "jack")
		_, err := one.gateway.EndSessions(t.Context(), "jack")
		require.NoError(t, err)
		require.Equal(t, protocol.CloseForbidden, <-jack)
		later.Add(int64(5 * time.Second))
		again := two.connect("jack", "web")
		time.Sleep(120 * time.Millisecond) // by then the repeat is there
		again.write(`{"type":11}`)
		again.expect(12)
		require.NoError(t, again.conn.Close())
		w.settled(0, "jack")
	}
}

// Who connected while a clock was ahead can be signed out when it is right again, from every node.
func TestCluster_EndSessionsOfTheFuture(t *testing.T) {
	w := newTown(t)
	var ahead atomic.Int64
	clock := func(o *ws.Options) { o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) } }
	one, two := w.node(1, clock), w.node(2, clock)
	ahead.Store(int64(8 * time.Hour))
	here, there := ends(one.connect("jack", "web")), ends(two.connect("jack", "phone"))
	w.settled(2, "jack")
	ahead.Store(0)
	ended, err := one.gateway.EndSessions(t.Context(), "jack")
	require.NoError(t, err)
	require.Equal(t, 2, ended)
	require.Equal(t, []int{protocol.CloseForbidden, protocol.CloseForbidden}, []int{<-here, <-there})
}

func TestCluster_BanAndRevoke(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	for name, c := range map[string]struct {
		end  func() (int, error)
		code int
	}{
		"EndSessions": {func() (int, error) { return one.gateway.EndSessions(t.Context(), "jack") }, protocol.CloseForbidden},
		"Revoke":      {func() (int, error) { return one.gateway.Revoke(t.Context(), "jack") }, protocol.CloseTokenEnded},
		"Ban":         {func() (int, error) { return one.gateway.Ban(t.Context(), "jack", true) }, protocol.CloseForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			here, there, other := ends(one.connect("jack", "web")), ends(two.connect("jack", "phone")), two.connect("rose", "web")
			w.settled(3, "jack", "rose")
			ended, err := c.end()
			require.NoError(t, err)
			require.Equal(t, 2, ended)
			require.Equal(t, c.code, <-here)
			require.Equal(t, c.code, <-there)
			other.send("rose", "still here", "")
			_, err = one.gateway.Ban(t.Context(), "jack", false)
			require.NoError(t, err)
		})
	}
}

func TestCluster_EndSessions_RegistryDown(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	two.connect("jack", "web")
	w.settled(1, "jack")
	one.registry.Fail(errors.New("cut off"))
	overloaded := protocol.NewError(protocol.Overloaded, "")
	_, err := one.gateway.EndSessions(t.Context(), "jack")
	require.ErrorIs(t, err, overloaded, "nobody can tell where jack is")
	_, err = one.gateway.Sessions(t.Context(), "jack")
	require.ErrorIs(t, err, overloaded)
	_, err = one.gateway.Ban(t.Context(), "jack", true)
	require.NoError(t, err, "a ban holds by the ledger")
	user, err := w.store.User(t.Context(), "jack")
	require.NoError(t, err)
	require.True(t, user.Banned)
}

func TestCluster_EndSessions_BusStopped(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	two.connect("jack", "web")
	w.settled(1, "jack")
	w.broker.Stop()
	ended, err := one.gateway.EndSessions(t.Context(), "jack")
	require.ErrorIs(t, err, protocol.NewError(protocol.Overloaded, ""), "nobody says that it is done before it is")
	require.Equal(t, 1, ended)
}

// Whoever is banned while the session comes to stand is rung for nobody.
func TestSession_IsCheckedSoon(t *testing.T) {
	n := startNode(t, func(o *ws.Options) {
		o.RecheckEvery = 10 * patience
		o.Authenticate = func(context.Context, string) (ws.Identity, error) {
			return ws.Identity{}, protocol.NewError(protocol.Forbidden, "this user is banned")
		}
	})
	jack, _, err := n.dial("jack", "&token=t")
	require.NoError(t, err)
	code, _ := jack.closed()
	require.Equal(t, protocol.CloseForbidden, code)
}
