package nacos_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/nacos"
)

func TestNew_SaysWhatIsWrong(t *testing.T) {
	where := nacos.Server{Addrs: []string{"127.0.0.1:8848"}}
	for want, given := range map[string]struct {
		server   nacos.Server
		instance nacos.Instance
	}{
		"no address of a server": {nacos.Server{}, nacos.Instance{Service: "s", Address: "127.0.0.1:1"}},
		"is not <host>:<port>":   {nacos.Server{Addrs: []string{"http://nacos"}}, nacos.Instance{Service: "s", Address: "127.0.0.1:1"}},
		"name is missing":        {where, nacos.Instance{Address: "127.0.0.1:1"}},
		"is not <ip>:<port>":     {where, nacos.Instance{Service: "s", Address: "127.0.0.1:0"}},
	} {
		_, err := nacos.New(given.server, given.instance, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, want)
	}
}

// A server with access control is stood in for: it wants a token that ends now and then. No password and no token is told.
func TestConfig_LogsIn(t *testing.T) {
	var logins atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/nacos/v1/auth/login" && r.PostFormValue("password") == "secret-word":
			logins.Add(1)
			_, _ = w.Write([]byte(`{"accessToken":"the-token","tokenTtl":18000}`))
		case r.Header.Get("Authorization") == "Bearer the-token":
			_, _ = w.Write([]byte("log: {}\n"))
		default:
			http.Error(w, "user not found!", http.StatusForbidden)
		}
	}))
	defer s.Close()
	where := nacos.Server{Addrs: []string{strings.TrimPrefix(s.URL, "http://")}, Username: "yanlink", Password: "secret-word"}
	text, err := nacos.Config(t.Context(), where, "yanlink.yaml")
	require.NoError(t, err)
	require.Equal(t, "log: {}\n", text)
	require.EqualValues(t, 1, logins.Load())

	where.Password = "wrong-word"
	_, err = nacos.Config(t.Context(), where, "yanlink.yaml")
	require.ErrorContains(t, err, "log in as yanlink: it answers 403")
	require.NotContains(t, err.Error(), "wrong-word")
}
