package ws_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// TestGateway_TokenRetention: a token that ended long enough ago is forgotten, more of them than one part holds; others stay.
func TestGateway_TokenRetention(t *testing.T) {
	const old = 1200
	n := startNode(t, func(o *ws.Options) { o.TokenRetention = 50 * time.Millisecond })
	now := ws.Millis(time.Now().UnixMilli())
	var ops []ws.Op
	for i := range old {
		ops = append(ops, &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{byte(i), byte(i >> 8), 1}, OpenID: "rose", ExpiresAt: now - 60_000}, At: now})
	}
	ops = append(ops, &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{7}, OpenID: "rose", ExpiresAt: now + 3_600_000}, At: now})
	require.NoError(t, n.store.Commit(t.Context(), ops))
	require.Eventually(t, func() bool {
		tokens, err := n.store.Tokens(t.Context(), [32]byte{}, old+1)
		return err == nil && len(tokens) == 1 && tokens[0].Hash == [32]byte{7}
	}, 2*patience, 50*time.Millisecond)
}

func TestGateway_TokenRetention_Never(t *testing.T) {
	n := startNode(t, func(o *ws.Options) {
		o.TokenRetention, o.ReconcileEvery = -1, 20*time.Millisecond
	})
	require.NoError(t, n.store.Commit(t.Context(), []ws.Op{&ws.AcceptToken{Token: ws.Token{OpenID: "rose", Hash: [32]byte{7}}, At: 1}}))
	time.Sleep(300 * time.Millisecond)
	tokens, err := n.store.Tokens(t.Context(), [32]byte{}, 1)
	require.NoError(t, err)
	require.Len(t, tokens, 1)
}
