//go:build services

package redisregistry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestTokens(t *testing.T) {
	w, server := ownServer(t)
	here, there := w.node(t, "a", "10.0.0.1:1", 1).Tokens(), w.node(t, "b", "10.0.0.1:2", 2).Tokens()
	hash := [32]byte{0xab, 31: 0xcd}
	key := "yan_token_ab000000000000000000000000000000000000000000000000000000000000cd"
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	for _, identity := range []ws.Identity{
		{OpenID: "bob", Name: "Bob ☃", Roles: []string{"admin", "clerk"}, IssuedAt: at, ExpiresAt: at.Add(time.Hour)},
		{OpenID: "carol"},
	} {
		require.NoError(t, here.Put(t.Context(), hash, identity, time.Minute))
		got, left, err := there.Get(t.Context(), hash)
		require.NoError(t, err)
		require.Equal(t, identity, got)
		require.Positive(t, left)
		require.LessOrEqual(t, left, time.Minute)
		require.EqualValues(t, 1, w.Exists(t.Context(), key).Val())
	}
	require.NoError(t, there.Delete(t.Context(), hash))
	require.NoError(t, there.Delete(t.Context(), hash))
	nothing := func() {
		t.Helper()
		_, left, err := here.Get(t.Context(), hash)
		require.NoError(t, err)
		require.Zero(t, left)
	}
	nothing()

	require.NoError(t, here.Put(t.Context(), hash, ws.Identity{OpenID: "bob"}, time.Millisecond))
	require.Eventually(t, func() bool { return w.Exists(t.Context(), key).Val() == 0 }, patience, time.Millisecond)
	nothing()
	for _, foreign := range []string{"", "garbage", "{}", "null"} {
		require.NoError(t, w.Set(t.Context(), key, foreign, time.Minute).Err())
		nothing()
	}

	require.NoError(t, server.Kill())
	_, _, err := here.Get(t.Context(), hash)
	require.ErrorContains(t, err, "look for a token")
	require.Error(t, here.Put(t.Context(), hash, ws.Identity{OpenID: "bob"}, time.Minute))
	require.Error(t, here.Delete(t.Context(), hash))
}
