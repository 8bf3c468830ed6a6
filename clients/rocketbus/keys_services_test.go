//go:build services

package rocketbus_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/ws"
)

// withKeys is a broker that wants every request signed but the one by which a test sees that it is ready.
const withKeys = `authenticationEnabled=true
authenticationProvider=org.apache.rocketmq.auth.authentication.provider.DefaultAuthenticationProvider
authenticationMetadataProvider=org.apache.rocketmq.auth.authentication.provider.LocalAuthenticationMetadataProvider
initAuthenticationUser={"username":"yanlink","password":"a secret"}
innerClientAuthenticationCredentials={"accessKey":"yanlink","secretKey":"a secret"}
authenticationWhitelist=26
`

func TestOptions_Keys(t *testing.T) {
	s := ownServers(t, withKeys)
	opt := s.options()
	opt.AccessKey, opt.SecretKey = "yanlink", "a secret"
	require.NoError(t, rocketbus.Create(t.Context(), opt, []string{"made"}))
	bus := mustOpen(t, opt)
	subscribe(t, bus, "made", func([]byte) {})
	subscribe(t, bus, "missing", func([]byte) {})
	require.NoError(t, bus.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")))
	gone, err := rocketbus.Prune(t.Context(), opt, []string{"missing"})
	require.NoError(t, err)
	require.Equal(t, []string{"made"}, gone)

	opt.SecretKey = "another one"
	require.ErrorContains(t, rocketbus.Create(t.Context(), opt, nil), "signature")
	stranger := mustOpen(t, opt)
	require.ErrorContains(t, stranger.Send(t.Context(), rocketbus.TopicMessage, "key", []byte("event")), "signature")
	require.ErrorContains(t, stranger.Subscribe(t.Context(), "missing", ws.LaneMessages, func([]byte) {}), "signature")
}
