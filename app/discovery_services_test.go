//go:build services

package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/deploy/services"
)

func nacosServer(t *testing.T) *services.Server {
	t.Helper()
	return services.StartOrSkip(t, services.Spec{Kind: services.Nacos})
}

// weights are those of the registered nodes.
func weights(t *testing.T, s *services.Server) (list []float64) {
	t.Helper()
	response, err := http.Get("http://" + s.Addr + "/nacos/v1/ns/instance/list?serviceName=yanlink")
	if err != nil {
		return nil // it is not up yet
	}
	defer response.Body.Close()
	var answer struct{ Hosts []struct{ Weight float64 } }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	for _, host := range answer.Hosts {
		list = append(list, host.Weight)
	}
	return list
}

// A node that starts while Nacos is down serves, joins by itself, and lets its weight fall before it goes.
func TestDiscovery_StartsWhileNacosIsDown(t *testing.T) {
	s := nacosServer(t)
	require.NoError(t, s.Kill())
	cfg := testConfig(t)
	cfg.Node.Advertise = "127.0.0.1:8084"
	cfg.Discovery.Driver, cfg.Discovery.Nacos.Addrs = "nacos", []string{s.Addr}
	cfg.Discovery.Nacos.Beat, cfg.Drain.Delay = 500*time.Millisecond, time.Second
	h := newHost(t, cfg, app.WithAuthenticator(&users{}))
	health := h.bundle.Health(t.Context())
	require.True(t, health.Ready)
	require.Equal(t, "degraded", health.Status)
	require.Contains(t, health.Dependencies["discovery"], "does not answer")
	dial(t, h.base, "alice") // traffic does not care

	require.NoError(t, s.Restart(t.Context()))
	require.Eventually(t, func() bool { return h.bundle.Health(t.Context()).Status == "ok" }, time.Minute, 10*time.Millisecond)
	require.Equal(t, []float64{1}, weights(t, s))

	stopped := make(chan error, 1)
	go func() { stopped <- h.bundle.Stop(t.Context()) }()
	require.Eventually(t, func() bool { w := weights(t, s); return len(w) == 1 && w[0] == 0 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, <-stopped)
	require.Empty(t, weights(t, s))
}

func TestLoadConfig_FromNacos(t *testing.T) {
	s := services.NacosWith(t, "DEFAULT_GROUP", "yanlink.yaml", "sso: {timeout: 9s}")
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "yanlink.yaml"), filepath.Join(dir, "copy.yaml")
	require.NoError(t, os.WriteFile(path, []byte("discovery: {driver: nacos, nacos: {addrs: ['"+s.Addr+"'], config: yanlink.yaml, configCopy: '"+kept+"'}}"), 0o600))
	load := func() {
		cfg, err := app.LoadConfig(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, 9*time.Second, cfg.SSO.Timeout)
	}
	load()
	require.NoError(t, s.Kill())
	load() // from the copy
	require.NoError(t, os.Remove(kept))
	_, err := app.LoadConfig(t.Context(), path)
	require.ErrorContains(t, err, "discovery.nacos.config: nacos: read configuration")
}
