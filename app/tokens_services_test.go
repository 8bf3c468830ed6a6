//go:build services

package app_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// twoNodes starts two nodes that share a ledger and Redis.
func twoNodes(t *testing.T, store ws.Store, sso ws.Authenticator) (one, other *host) {
	t.Helper()
	redis := services.MustStart(t, services.Spec{Kind: services.Redis})
	node := func(id, address string) *host {
		cfg := testConfig(t)
		cfg.Node.ID, cfg.Node.Advertise = id, address
		cfg.Store.Driver, cfg.Store.DSN = "mysql", "the store is given"
		cfg.Registry.Driver, cfg.Registry.Redis.Addrs = "redis", []string{redis.Addr}
		cfg.Bus.Driver, cfg.Bus.RocketMQ.NameServers = "rocketmq", []string{"127.0.0.1:1"} // nobody is there
		return newHost(t, cfg, app.WithAuthenticator(sso), app.WithStore(store))
	}
	return node("one", "127.0.0.1:1001"), node("other", "127.0.0.1:1002")
}

// A client that moves to another node costs the one who knows about tokens no question, unless it was revoked meanwhile.
// A ticket counts on any node, once.
func TestTokens_SharedByTheCluster(t *testing.T) {
	store, sso := wstest.NewMemStore(), &users{}
	one, other := twoNodes(t, store, sso)
	dial(t, one.base, "alice")
	dial(t, other.base, "alice")
	require.Equal(t, 1, sso.asked(), "the other node was told by the first")

	dial(t, one.base, "bob")
	require.NoError(t, store.Commit(t.Context(), []ws.Op{&ws.RevokeTokens{OpenID: "bob", At: ws.Millis(1 << 50)}}))
	require.Equal(t, 401, upgradeStatus(t, other.base, "bob", ""))

	require.EqualValues(t, 1, spend(t, ticketOf(t, one.base, "carol"), one.base, other.base))
	ticket := ticketOf(t, one.base, "carol")
	require.EqualValues(t, 1, spend(t, ticket, other.base))
}
