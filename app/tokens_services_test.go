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

// A client that moves to another node costs the one who knows about tokens no question, unless it was revoked meanwhile.
func TestTokens_SharedByTheCluster(t *testing.T) {
	redis := services.MustStart(t, services.Spec{Kind: services.Redis})
	store, sso := wstest.NewMemStore(), &users{}
	node := func(id, address string) *host {
		cfg := testConfig(t)
		cfg.Node.ID, cfg.Node.Advertise = id, address
		cfg.Store.Driver, cfg.Store.DSN = "mysql", "the store is given"
		cfg.Registry.Driver, cfg.Registry.Redis.Addrs = "redis", []string{redis.Addr}
		cfg.Bus.Driver, cfg.Bus.RocketMQ.NameServers = "rocketmq", []string{"127.0.0.1:1"} // nobody is there
		return newHost(t, cfg, app.WithAuthenticator(sso), app.WithStore(store))
	}
	one, other := node("one", "127.0.0.1:1001"), node("other", "127.0.0.1:1002")
	dial(t, one.base, "alice")
	dial(t, other.base, "alice")
	require.Equal(t, 1, sso.asked(), "the other node was told by the first")

	dial(t, one.base, "bob")
	require.NoError(t, store.Commit(t.Context(), []ws.Op{&ws.RevokeTokens{OpenID: "bob", At: ws.Millis(1 << 50)}}))
	require.Equal(t, 401, upgradeStatus(t, other.base, "bob", ""))
}
