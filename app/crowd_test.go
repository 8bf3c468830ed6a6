package app_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws/wstest"
)

// A storm of reconnects is one call of the SSO a token and cache period: through the listener, the middleware, the cache
// and the ledger.
func TestServer_CrowdOfConnects(t *testing.T) {
	const tokens, atOnce = 100, 64
	var calls atomic.Int64
	sso := httpServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = fmt.Fprintf(w, `{"openid":%q}`, ownerOf(r.Header.Get("token")))
	}))
	cfg := testConfig(t)
	cfg.SSO.URL, cfg.SSO.CacheTTL, cfg.SSO.Recheck = sso, time.Hour, 24*time.Hour
	cfg.Limits = configs.Limits{FrameBytes: cfg.Limits.FrameBytes, InFlight: cfg.Limits.InFlight} // one address is the crowd
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	server, err := app.NewServer(cfg, app.WithLogger(wstest.NewLog(t).Logger()), app.WithClock(clock))
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Close()) })

	for period, visits := range []int{20_000, 2_000} {
		refused := make(chan string, atOnce)
		var all sync.WaitGroup
		for lane := range atOnce {
			all.Go(func() {
				for i := lane; i < visits; i += atOnce {
					if why := visit(server.Addr(), fmt.Sprintf("user-%d", i%tokens)); why != "" {
						refused <- why
						return
					}
				}
			})
		}
		all.Wait()
		close(refused)
		for why := range refused {
			require.Fail(t, why)
		}
		require.LessOrEqual(t, calls.Load(), int64(tokens*(period+1)))
		require.Greater(t, calls.Load(), int64(tokens*period), "in each period the SSO is asked anew")
		ahead.Add(int64(time.Hour))
	}
}

// visit opens a socket and closes it at once. It returns what went wrong.
func visit(addr, token string) string {
	conn, response, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws?token="+tokenOf(token), nil)
	if response != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return strings.TrimSpace(err.Error())
	}
	if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // thousands of ports would have to rest otherwise
	}
	_ = conn.Close()
	return ""
}
