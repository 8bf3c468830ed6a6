package ws_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// A name that one node learns takes the place of the one that others remember, whoever tells it: an administrator, a
// connect, a call with a new token.
func TestCluster_Renamed(t *testing.T) {
	w := newTown(t)
	one, two := w.node(1, nil), w.node(2, nil)
	one.connect("rose", "web")
	two.connect("jack", "web")
	w.settled(2, "rose", "jack")
	_, err := one.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "hi"})
	require.NoError(t, err)
	name := func(m *member) string {
		view, err := m.gateway.ConversationWith(t.Context(), "jack", "rose")
		require.NoError(t, err)
		return view.Peer.Name
	}
	require.Equal(t, "name of rose", name(two))
	for want, rename := range map[string]func() error{
		"Rose": func() error { _, err := one.gateway.PutUser(t.Context(), "rose", "Rose"); return err },
		"Rosa": func() error {
			return one.gateway.Write(t.Context(), &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{1}, OpenID: "rose"}, Name: "Rosa"})
		},
		"name of rose": func() error { one.connect("rose", "phone"); return nil },
	} {
		require.NoError(t, rename())
		require.Equal(t, want, name(one), "at once")
		w.eventually("the other node knows it", func() bool { return name(two) == want })
		_, err := one.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "hi"})
		require.NoError(t, err)
		require.Equal(t, want, name(two), "a message brings back no older one")
	}
}
