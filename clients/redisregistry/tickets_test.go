//go:build services

package redisregistry_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTickets(t *testing.T) {
	w, server := ownServer(t)
	here, there := w.node(t, "a", "10.0.0.1:1", 1).Tickets(), w.node(t, "b", "10.0.0.1:2", 2).Tickets()
	hash := [32]byte{0xab, 31: 0xcd}
	key := "yan_ticket_ab000000000000000000000000000000000000000000000000000000000000cd"

	require.NoError(t, here.Put(t.Context(), hash, []byte("sealed"), time.Minute))
	require.Positive(t, w.PTTL(t.Context(), key).Val())
	var got atomic.Int32
	var takers sync.WaitGroup
	for i := range 50 {
		takers.Go(func() {
			from := here
			if i%2 == 0 {
				from = there
			}
			value, err := from.Take(t.Context(), hash)
			if err == nil && string(value) == "sealed" {
				got.Add(1)
			}
		})
	}
	takers.Wait()
	require.EqualValues(t, 1, got.Load(), "one of all nodes gets it")

	require.NoError(t, here.Put(t.Context(), hash, []byte("sealed"), time.Millisecond))
	require.Eventually(t, func() bool { return w.Exists(t.Context(), key).Val() == 0 }, patience, time.Millisecond)
	value, err := there.Take(t.Context(), hash)
	require.NoError(t, err)
	require.Nil(t, value)

	require.NoError(t, server.Kill())
	_, err = here.Take(t.Context(), hash)
	require.ErrorContains(t, err, "take a ticket")
	require.ErrorContains(t, here.Put(t.Context(), hash, nil, time.Minute), "keep a ticket")
}
