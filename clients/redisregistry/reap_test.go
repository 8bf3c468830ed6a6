//go:build services

package redisregistry_test

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// A node that stops to beat is dead for the others by itself, and its routes are gone.
func TestRegistry_NodeTTL(t *testing.T) {
	w, _ := ownServer(t)
	w.opt.NodeTTL = 300 * time.Millisecond
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	a.beats()
	route := a.route("bob", 1)
	a.holds(route)
	var gone []ws.Route
	require.Eventually(t, func() bool {
		b.beats()
		gone = append(gone, b.reaps()...)
		return len(gone) > 0
	}, patience, 20*time.Millisecond)
	require.Equal(t, []ws.Route{route}, gone)
	b.finds([]string{"bob"})
	exists, err := w.Exists(t.Context(), "yan_client_bob", "yan_serverclients_"+a.self.Address).Result()
	require.NoError(t, err)
	require.Zero(t, exists, "nothing is left behind")
}

// stall holds the first call of a client up, before it is sent, that has a certain command.
type stall struct {
	command string
	held    atomic.Bool
	reached chan struct{}
	release chan struct{}
}

func newStall(command string) *stall {
	return &stall{command: command, reached: make(chan struct{}), release: make(chan struct{})}
}

func (s *stall) hold(cmds ...redis.Cmder) {
	if slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Name() == s.command }) && s.held.CompareAndSwap(false, true) {
		close(s.reached)
		<-s.release
	}
}

func (s *stall) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *stall) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "evalsha" { // only clear runs its script in a pipeline
			s.hold(cmd)
		}
		return next(ctx, cmd)
	}
}

func (s *stall) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		s.hold(cmds...)
		return next(ctx, cmds)
	}
}

// stalling is a third node, which is held up at a command.
func (w *world) stalling(t *testing.T, command string) (*node, *stall) {
	s := newStall(command)
	return w.hooked(t, s).node(t, "c", "10.0.0.1:3", 3), s
}

// hooked is the same world for nodes whose calls go through a hook.
func (w *world) hooked(t *testing.T, hook redis.Hook) *world {
	client := redis.NewClient(&redis.Options{Addr: w.opt.Addrs[0], ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	client.AddHook(hook)
	opt := w.opt
	opt.Client = client
	return &world{opt: opt}
}

// killed lets a client do nothing any more once it has run a script in a pipeline, as if its node were killed there.
type killed struct{ dead atomic.Bool }

func (k *killed) DialHook(next redis.DialHook) redis.DialHook { return next }

func (k *killed) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if k.dead.Load() {
			return context.Canceled
		}
		return next(ctx, cmd)
	}
}

func (k *killed) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if k.dead.Load() {
			return context.Canceled
		}
		err := next(ctx, cmds)
		k.dead.Store(err == nil && cmds[0].Name() == "evalsha")
		return err
	}
}

// A node is killed right after it has recorded a route: the route goes with it.
func TestRegistry_KilledWhileItPuts(t *testing.T) {
	w, _ := ownServer(t)
	b := w.node(t, "b", "10.0.0.1:2", 2)
	b.beats()
	b.holds(b.route("loads the scripts", 1))
	a := w.hooked(t, &killed{}).node(t, "a", "10.0.0.1:1", 1)
	a.beats()
	route := a.route("bob", 1)
	_, err := a.Put(t.Context(), []ws.Route{route})
	require.Error(t, err)
	b.finds([]string{"bob"}, route)
	w.Silence(t, a.self.Address)
	require.Equal(t, []ws.Route{route}, b.reaps())
	b.finds([]string{"bob"})
	require.Empty(t, w.indexOf(t, a))
}

// A reaper is killed when it has removed a route, before it could tell: the next one does.
func TestRegistry_ReaperKilled(t *testing.T) {
	w, _ := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	a.beats()
	route := a.route("bob", 1)
	a.holds(route)
	w.Silence(t, a.self.Address)
	require.Equal(t, []ws.Route{route}, b.reaps())
	a = w.node(t, "a", "10.0.0.1:1", 2)
	a.beats()
	next := a.route("bob", 2)
	a.holds(next)
	w.Silence(t, a.self.Address)

	_, err := w.hooked(t, &killed{}).node(t, "c", "10.0.0.1:3", 3).Reap(t.Context())
	require.Error(t, err)
	b.finds([]string{"bob"})
	told := ws.Route{User: "bob", SessionID: next.SessionID, Node: "a"}
	require.Eventually(t, func() bool { // the lock that it had ends by itself
		return slices.Equal([]ws.Route{told}, b.reaps())
	}, patience, 20*time.Millisecond)
	require.Empty(t, w.indexOf(t, a))
	require.Empty(t, b.reaps())
}

// A reaper is held up at each of its steps for as long as the node that it holds for dead needs to come back: nothing of
// that node is lost, and it is reaped in full when it dies.
func TestRegistry_ReaperStalls(t *testing.T) {
	for _, command := range []string{"set", "sscan", "evalsha", "srem"} {
		t.Run(command, func(t *testing.T) {
			w, _ := ownServer(t)
			a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
			a.beats()
			users, routes := crowd(a, 100)
			a.holds(routes...)
			w.Silence(t, a.self.Address)
			reaper, stall := w.stalling(t, command)
			done := make(chan []ws.Route)
			go func() {
				gone, _ := reaper.Reap(context.WithoutCancel(t.Context()))
				done <- gone
			}()
			<-stall.reached
			a = w.node(t, "a", "10.0.0.1:1", 1) // so that it knows of no beat that its entry lacks
			require.True(t, a.beats(), "it may lose its routes any moment")
			a.holds(routes...)
			later := a.route("later", 1)
			a.holds(later)
			close(stall.release)
			<-done

			a.finds(append(users, later.User), append(routes, later)...)
			require.False(t, a.beats())
			w.Silence(t, a.self.Address)
			left := append(routes, later)
			require.Eventually(t, func() bool { // a lock that was left behind ends by itself
				left = without(left, b.reaps())
				return len(left) == 0
			}, patience, 10*time.Millisecond)
			b.finds(append(users, later.User))
			require.Empty(t, w.indexOf(t, a))
		})
	}
}

// A reaper is held up, and the node's place is taken by its next life meanwhile.
func TestRegistry_ReaperStallsBeforeNextLife(t *testing.T) {
	w, _ := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	a.beats()
	old := a.route("bob", 1)
	a.holds(old)
	w.Silence(t, a.self.Address)
	reaper, stall := w.stalling(t, "evalsha")
	done := make(chan []ws.Route)
	go func() {
		gone, _ := reaper.Reap(context.WithoutCancel(t.Context()))
		done <- gone
	}()
	<-stall.reached
	next := w.node(t, "a", "10.0.0.1:1", 7)
	require.True(t, next.beats())
	// In the same second, so that the session has the same id.
	newer := next.route("bob", 2)
	next.holds(newer)
	close(stall.release)
	require.Empty(t, <-done)
	b.finds([]string{"bob"}, newer)
	require.Eventually(t, func() bool { return len(b.reaps()) == 0 && len(w.indexOf(t, next)) == 1 }, patience, time.Millisecond)
	b.finds([]string{"bob"}, newer)
}

// A route that is put again once its node has come back stays as it is, though a call from before comes last.
func TestRegistry_PutOvertaken(t *testing.T) {
	w, _ := ownServer(t)
	c, stall := w.stalling(t, "evalsha")
	c.beats()
	route := c.route("bob", 1)
	done := make(chan error)
	go func() {
		_, err := c.Put(context.WithoutCancel(t.Context()), []ws.Route{route})
		done <- err
	}()
	<-stall.reached
	w.Silence(t, c.self.Address)
	require.True(t, c.beats())
	c.holds(route)
	before := w.HGetAll(t.Context(), "yan_client_bob").Val()
	close(stall.release)
	require.NoError(t, <-done)
	require.Equal(t, before, w.HGetAll(t.Context(), "yan_client_bob").Val())
}

// A reaper that dies at its work keeps the others out for a moment only; what it has not done, they do.
func TestRegistry_ReaperDies(t *testing.T) {
	w, _ := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	a.beats()
	_, routes := crowd(a, 100)
	a.holds(routes...)
	w.Silence(t, a.self.Address)
	reaper, stall := w.stalling(t, "evalsha")
	died := make(chan struct{})
	go func() {
		defer close(died)
		_, _ = reaper.Reap(context.WithoutCancel(t.Context()))
	}()
	<-stall.reached
	require.Empty(t, b.reaps(), "one at a time")
	var gone []ws.Route
	require.Eventually(t, func() bool {
		gone = append(gone, b.reaps()...)
		return len(gone) == len(routes)
	}, patience, 10*time.Millisecond)
	require.ElementsMatch(t, routes, gone)
	close(stall.release)
	<-died
}

// Redis' clock is put back while a node is dead: a life to come must still be the younger one.
func TestRegistry_ClockPutBack(t *testing.T) {
	w, _ := ownServer(t)
	a, b := w.node(t, "a", "10.0.0.1:1", 1), w.node(t, "b", "10.0.0.1:2", 2)
	ahead := time.Now().Add(24 * time.Hour).UnixMilli()
	require.NoError(t, w.HSet(t.Context(), serversKey, a.self.Address,
		`{"id":"a","incarnation":"9","beat":`+ms(ahead)+`,"joined":`+ms(ahead)+`,"heir":false}`).Err())
	former := a.route("carol", 1)
	former.Incarnation = 9
	require.NoError(t, w.HSet(t.Context(), "yan_client_carol", former.SessionID,
		`{"node":"a","incarnation":"9","device":"web","epoch":"1","since":`+ms(int64(former.Since))+`,"joined":`+ms(ahead)+`}`).Err())
	require.NoError(t, w.SAdd(t.Context(), "yan_serverclients_"+a.self.Address, former.SessionID).Err())

	require.True(t, a.beats(), "a beat from a day ahead is none")
	route := a.route("bob", 1)
	a.holds(route)
	require.Equal(t, []ws.Route{former}, b.reaps())
	b.finds([]string{"bob", "carol"}, route)
}

func ms(at int64) string { return strconv.FormatInt(at, 10) }

// without returns the routes that are not among gone.
func without(routes, gone []ws.Route) []ws.Route {
	return slices.DeleteFunc(slices.Clone(routes), func(r ws.Route) bool { return slices.Contains(gone, r) })
}
