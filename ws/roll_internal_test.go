package ws

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listing is a registry that lists nodes.
type listing struct {
	Registry
	nodes []Node
	err   error
	asked int
}

func (l *listing) Nodes(context.Context) ([]Node, error) {
	l.asked++
	return slices.Clone(l.nodes), l.err
}

// A node that is late, or has just joined, counts all the while; one that stays away counts no more, until it is back.
func TestRoll(t *testing.T) {
	registry := &listing{nodes: []Node{{ID: "a", Incarnation: 1}}}
	opt := Options{Registry: registry, RegistryTimeout: time.Second, BeatEvery: time.Second}
	g := &Gateway{opt: opt, log: slog.New(slog.DiscardHandler), started: time.Now()}
	g.cluster = &cluster{g: g, routes: newRouteKeeper(g)}
	r := newRoll(g)
	here, late := Route{Node: "a", Incarnation: 1}, Route{Node: "b", Incarnation: 1}
	present := func() []Route { return r.present(t.Context(), []Route{here, late}) }
	passes := func(d time.Duration) { g.started = g.started.Add(-d) }

	require.Equal(t, []Route{here, late}, present())
	require.Equal(t, []Route{here, late}, present())
	require.Equal(t, 1, registry.asked, "once in a while")
	passes(2 * time.Second)
	registry.nodes = append(registry.nodes, Node{ID: "b", Incarnation: 1})
	require.Equal(t, []Route{here, late}, present())

	registry.nodes = registry.nodes[:1]
	passes(time.Second)
	require.Equal(t, []Route{here, late}, present(), "it may be late")
	passes(time.Second)
	require.Equal(t, []Route{here, late}, present())
	registry.err = errors.New("it does not answer")
	passes(2 * time.Second)
	require.Equal(t, []Route{here, late}, present(), "nobody can tell")
	registry.err = nil
	passes(time.Second)
	require.Equal(t, []Route{here, late}, present())
	passes(2 * time.Second)
	require.Equal(t, []Route{here}, present())

	registry.nodes = append(registry.nodes, Node{ID: "b", Incarnation: 1})
	passes(time.Second)
	r.follow(t.Context())
	registry.nodes = registry.nodes[:1]
	passes(time.Minute)
	require.Equal(t, []Route{here, late}, present(), "it was back meanwhile")
	g.cluster.routes.down.Store(true)
	r.follow(t.Context())
	g.cluster.routes.down.Store(false)
	passes(2 * time.Second)
	require.Equal(t, []Route{here, late}, present(), "the registry was away meanwhile")
	passes(absentForgotten)
	r.follow(t.Context())
	require.Empty(t, r.absent)
	require.Equal(t, []Route{here, late}, present())
	passes(2 * time.Second)
	require.Equal(t, []Route{here}, present())

	registry.nodes = append(registry.nodes, Node{ID: "b", Incarnation: 2})
	passes(time.Second)
	require.Equal(t, []Route{here}, present(), "this is another life")
	registry.nodes[1].Incarnation = 1
	passes(time.Second)
	require.Equal(t, []Route{here, late}, present())
}
