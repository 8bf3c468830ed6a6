package sso_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// spied is a TicketStore that shows what it was given, and fails when it is told to.
type spied struct {
	sso.TicketStore
	seen []string
	err  error
}

func (s *spied) Put(ctx context.Context, hash [32]byte, value []byte, life time.Duration) error {
	if s.err != nil {
		return s.err
	}
	s.seen = append(s.seen, string(hash[:]), string(value))
	return s.TicketStore.Put(ctx, hash, value, life)
}

func (s *spied) Take(ctx context.Context, hash [32]byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.TicketStore.Take(ctx, hash)
}

func TestTickets_OnceOnly(t *testing.T) {
	tickets := sso.NewTickets(sso.NewTicketMemory(nil), time.Minute)
	ticket, life, err := tickets.Issue(t.Context(), "alice's token")
	require.NoError(t, err)
	require.Equal(t, time.Minute, life)
	var redeemed, refused atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			token, err := tickets.Redeem(t.Context(), ticket)
			switch {
			case err == nil && token == "alice's token":
				redeemed.Add(1)
			case errors.Is(err, ws.ErrInvalidToken):
				refused.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, redeemed.Load())
	require.EqualValues(t, 99, refused.Load())
}

func TestTickets_KeepNoToken(t *testing.T) {
	store := &spied{TicketStore: sso.NewTicketMemory(nil)}
	tickets := sso.NewTickets(store, time.Minute)
	one, _, err := tickets.Issue(t.Context(), "alice's token")
	require.NoError(t, err)
	two, _, err := tickets.Issue(t.Context(), "alice's token")
	require.NoError(t, err)
	require.NotEqual(t, one, two)
	require.False(t, slices.ContainsFunc(store.seen, func(kept string) bool {
		return strings.Contains(kept, "alice") || strings.Contains(kept, one)
	}), "neither the token nor the ticket is kept")

	token, err := tickets.Redeem(t.Context(), "alice's token")
	require.NoError(t, err)
	require.Equal(t, "alice's token", token, "what is no ticket passes")
	_, err = tickets.Redeem(t.Context(), one[:len(one)-1])
	require.ErrorIs(t, err, ws.ErrInvalidToken)
}

func TestTickets_Store(t *testing.T) {
	store := &spied{TicketStore: sso.NewTicketMemory(nil)}
	tickets := sso.NewTickets(store, time.Minute)
	ticket, _, err := tickets.Issue(t.Context(), "alice's token")
	require.NoError(t, err)
	store.err = errors.New("nobody is there")
	_, err = tickets.Redeem(t.Context(), ticket)
	require.ErrorIs(t, err, ws.ErrCannotTell)
	_, _, err = tickets.Issue(t.Context(), "alice's token")
	require.ErrorIs(t, err, protocol.NewError(protocol.Overloaded, ""))
	store.err = nil
	token, err := tickets.Redeem(t.Context(), ticket)
	require.NoError(t, err)
	require.Equal(t, "alice's token", token, "a ticket that could not be looked up is not spent")
}

func TestTicketMemory(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	memory := sso.NewTicketMemory(func() time.Time { return now })
	put := func(n int) error {
		return memory.Put(t.Context(), [32]byte{byte(n), byte(n >> 8), byte(n >> 16)}, []byte("v"), 30*time.Second)
	}
	took := func(n int) bool {
		value, err := memory.Take(t.Context(), [32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
		require.NoError(t, err)
		return value != nil
	}
	require.NoError(t, put(0))
	now = now.Add(29 * time.Second)
	require.NoError(t, put(1))
	require.True(t, took(0))
	require.False(t, took(0))
	now = now.Add(30 * time.Second)
	require.False(t, took(1), "its time is over")

	for n := range 1 << 16 {
		require.NoError(t, put(n))
	}
	require.Error(t, put(1<<16), "it is bounded")
	require.True(t, took(7))
	now = now.Add(30 * time.Second)
	require.NoError(t, put(1<<16), "what is over makes room")
	require.False(t, took(8))
}
