//go:build services

package nacos_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/nacos"
	"github.com/yanlink/yanlink/deploy/services"
)

const (
	patience = 60 * time.Second
	soon     = 100 * time.Millisecond
)

// server starts a Nacos of the test's own.
func server(t *testing.T) *services.Server {
	t.Helper()
	return services.StartOrSkip(t, services.Spec{Kind: services.Nacos})
}

func at(s *services.Server) nacos.Server {
	return nacos.Server{Addrs: []string{s.Addr}, Timeout: time.Second}
}

func announce(t *testing.T, where nacos.Server) *nacos.Announcer {
	t.Helper()
	a, err := nacos.New(where, nacos.Instance{
		Service: "yanlink", Address: "127.0.0.1:8084", Metadata: map[string]string{"nodeId": "n1"}, Beat: soon,
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	a.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = a.Close(ctx) // a test may have killed the server
	})
	return a
}

// host is what Nacos tells others of an instance.
type host struct {
	IP       string            `json:"ip"`
	Port     int               `json:"port"`
	Weight   float64           `json:"weight"`
	Healthy  bool              `json:"healthy"`
	Metadata map[string]string `json:"metadata"`
}

func listed(t *testing.T, s *services.Server) []host {
	t.Helper()
	var answer struct{ Hosts []host }
	require.NoError(t, json.Unmarshal([]byte(ask(t, s, http.MethodGet, "/ns/instance/list?serviceName=yanlink")), &answer))
	return answer.Hosts
}

func ask(t *testing.T, s *services.Server, method, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr+"/nacos/v1"+path, http.NoBody)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(said)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, patience, 10*time.Millisecond, what)
}

func TestAnnouncer_RegistersDrainsAndLeaves(t *testing.T) {
	s := server(t)
	a := announce(t, at(s))
	eventually(t, "it is known", a.Known)
	require.Equal(t, []host{{"127.0.0.1", 8084, 1, true, map[string]string{"nodeId": "n1", "draining": "false"}}}, listed(t, s))

	a.Drain()
	eventually(t, "the weight falls", func() bool { return listed(t, s)[0].Weight == 0 })
	require.Equal(t, "true", listed(t, s)[0].Metadata["draining"])
	time.Sleep(3 * soon)
	require.Zero(t, listed(t, s)[0].Weight, "signs of life do not raise it")

	require.NoError(t, a.Close(t.Context()))
	require.Empty(t, listed(t, s))
	require.NoError(t, a.Close(t.Context()), "a second time is nothing")
}

func TestAnnouncer_ComesBackWithTheServer(t *testing.T) {
	s := server(t)
	a := announce(t, at(s))
	eventually(t, "it is known", a.Known)
	require.NoError(t, s.Kill())
	eventually(t, "it is missed", func() bool { return !a.Known() })
	require.NoError(t, s.Restart(t.Context()))
	eventually(t, "it is known again", func() bool { return a.Known() && len(listed(t, s)) == 1 })
}

func TestAnnouncer_StartsWithoutAServer(t *testing.T) {
	s := server(t)
	require.NoError(t, s.Kill())
	a := announce(t, at(s))
	time.Sleep(3 * soon)
	require.False(t, a.Known())
	require.NoError(t, s.Restart(t.Context()))
	eventually(t, "it joins by itself", func() bool { return a.Known() && len(listed(t, s)) == 1 })
}

func TestAnnouncer_AsksTheNextServer(t *testing.T) {
	s := server(t)
	where := at(s)
	where.Addrs = []string{"127.0.0.1:1", s.Addr}
	a := announce(t, where)
	eventually(t, "it is known", a.Known)
	require.Len(t, listed(t, s), 1)
}

func TestAnnouncer_IsAnnouncedAgainWhereItWasForgotten(t *testing.T) {
	s := server(t)
	a := announce(t, at(s))
	eventually(t, "it is known", a.Known)
	require.Equal(t, "ok", ask(t, s, http.MethodDelete, "/ns/instance?serviceName=yanlink&ip=127.0.0.1&port=8084"))
	eventually(t, "it is back", func() bool { return len(listed(t, s)) == 1 })
}

// A server that hangs delays nothing: neither Drain nor the end.
func TestAnnouncer_FrozenServer(t *testing.T) {
	s := server(t)
	a := announce(t, at(s))
	eventually(t, "it is known", a.Known)
	require.NoError(t, s.Freeze())
	eventually(t, "it is missed", func() bool { return !a.Known() })
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	require.Error(t, a.Close(ctx))
	require.NoError(t, s.Thaw())
}

func TestConfig(t *testing.T) {
	text := "sso:\n  url: https://sso.example.com/check\n"
	s := services.NacosWith(t, "IM", "yanlink.yaml", text)

	where := at(s)
	where.Group = "IM"
	got, err := nacos.Config(t.Context(), where, "yanlink.yaml")
	require.NoError(t, err)
	require.Equal(t, text, got)
	_, err = nacos.Config(t.Context(), where, "other.yaml")
	require.ErrorIs(t, err, nacos.ErrNoConfig)

	require.NoError(t, s.Kill())
	_, err = nacos.Config(t.Context(), where, "yanlink.yaml")
	require.ErrorContains(t, err, "connection refused")
}
