//go:build services

package services_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

const patience = 60 * time.Second

// mustStart runs a server with what it needs.
func mustStart(t *testing.T, kind services.Kind) *services.Server {
	t.Helper()
	spec := services.Spec{Kind: kind}
	if kind == services.Broker {
		spec.Namesrv = services.MustStart(t, services.Spec{Kind: services.Namesrv}).Addr
	}
	return services.MustStart(t, spec)
}

func TestServer_KillAndRestart(t *testing.T) {
	for _, kind := range services.Defaults() {
		if kind == services.Broker {
			continue // TestServer_BrokerTakesMessages kills one
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := mustStart(t, kind)
			require.NoError(t, s.Kill())
			require.Error(t, s.Ready(t.Context()))
			_, err := net.Dial("tcp", s.Addr)
			require.Error(t, err, "somebody still listens")
			require.NoError(t, s.Kill(), "killing the dead is nothing")

			require.NoError(t, s.Restart(t.Context()))
			require.NoError(t, s.Ready(t.Context()))
			require.NoError(t, s.Restart(t.Context()), "also while it runs")
			require.NoError(t, s.Ready(t.Context()))
		})
	}
}

func TestServer_FreezeAndThaw(t *testing.T) {
	for _, kind := range services.Defaults() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := mustStart(t, kind)
			require.NoError(t, s.Freeze())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.Error(t, s.Ready(ctx), "a frozen server answers")
			require.NoError(t, s.Thaw())
			require.Eventually(t, func() bool { return s.Ready(t.Context()) == nil }, patience, 50*time.Millisecond)
			require.NoError(t, s.Freeze(), "and is stopped frozen")
		})
	}
}

func TestServer_Stop(t *testing.T) {
	s := mustStart(t, services.Redis)
	require.NoError(t, s.Stop(t.Context()))
	require.Error(t, s.Ready(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "stopping the stopped is nothing")
	require.Error(t, s.Freeze(), "what does not run cannot be frozen")
}

func TestStart_SaysWhyNot(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	_, err = services.Start(t.Context(), services.Spec{Kind: services.Redis, Dir: t.TempDir(), Port: port})
	require.ErrorContains(t, err, "start redis")
	require.ErrorContains(t, err, "address already in use")

	_, err = services.Start(t.Context(), services.Spec{Kind: services.Redis})
	require.ErrorContains(t, err, "a folder is needed")
	_, err = services.Start(t.Context(), services.Spec{Kind: "oracle", Dir: t.TempDir()})
	require.ErrorContains(t, err, `no service "oracle"`)
}
