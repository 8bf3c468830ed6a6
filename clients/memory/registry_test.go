package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// directory shows the suite a memory.Directory.
type directory struct{ *memory.Directory }

func (d directory) Open(*testing.T, ws.Node) ws.Registry { return d.Directory.Open() }
func (d directory) Silence(_ *testing.T, address string) { d.Directory.Silence(address) }
func (d directory) Forget(*testing.T)                    { d.Directory.Forget() }
func node(id, address string, incarnation uint64) ws.Node {
	return ws.Node{ID: id, Address: address, Incarnation: incarnation}
}

func TestRegistry(t *testing.T) {
	wstest.Registry(t, func(*testing.T) wstest.Registries {
		return directory{memory.NewDirectory(memory.DirectoryOptions{NodeTTL: time.Hour})}
	})
}

func TestRegistry_NodeTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := memory.NewDirectory(memory.DirectoryOptions{}).Open()
		_, err := registry.Beat(t.Context(), node("a", "10.0.0.1:1", 1))
		require.NoError(t, err)
		_, err = registry.Put(t.Context(), []ws.Route{{User: "bob", SessionID: "s", Node: "a", Incarnation: 1}})
		require.NoError(t, err)

		time.Sleep(6 * time.Second)
		gone, err := registry.Reap(t.Context())
		require.NoError(t, err)
		require.Empty(t, gone)

		time.Sleep(time.Millisecond)
		nodes, err := registry.Nodes(t.Context())
		require.NoError(t, err)
		require.Empty(t, nodes)
		gone, err = registry.Reap(t.Context())
		require.NoError(t, err)
		require.Len(t, gone, 1)
	})
}

func TestRegistry_Fail(t *testing.T) {
	d := memory.NewDirectory(memory.DirectoryOptions{})
	cut, whole := d.Open(), d.Open()
	broken := errors.New("broken")
	cut.Fail(broken)
	_, err := cut.Beat(t.Context(), node("a", "10.0.0.1:1", 1))
	require.ErrorIs(t, err, broken)
	joined, err := whole.Beat(t.Context(), node("b", "10.0.0.1:2", 2))
	require.NoError(t, err)
	require.True(t, joined)

	cut.Fail(nil)
	nodes, err := cut.Nodes(t.Context())
	require.NoError(t, err)
	require.Len(t, nodes, 1, "a call that failed changed nothing")
}

func TestRegistry_Hold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := memory.NewDirectory(memory.DirectoryOptions{}).Open()
		release := registry.Hold()
		done := make(chan error, 1)
		go func() {
			_, err := registry.Nodes(t.Context())
			done <- err
		}()
		synctest.Wait()
		require.Empty(t, done)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := registry.Nodes(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		release()
		release()
		require.NoError(t, <-done)
	})
}

func TestRegistry_HoldAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := memory.NewDirectory(memory.DirectoryOptions{}).Open()
		defer registry.Hold()()
		done := make(chan error, 1)
		go func() {
			_, err := registry.Nodes(t.Context())
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, registry.Close())
		require.ErrorContains(t, <-done, "closed")
	})
}
