package sso_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/sso"
)

// A storm of reconnects is one call a token and cache period, however many come at once.
func TestCache_Crowd(t *testing.T) {
	const checks, tokens, atOnce = 20_000, 100, 200
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = fmt.Fprintf(w, `{"openid":%q}`, r.Header.Get("token"))
	}))
	t.Cleanup(server.Close)
	var ahead atomic.Int64
	clock := func() time.Time { return now.Add(time.Duration(ahead.Load())) }
	client := newClient(t, server.URL, func(o *sso.Options) { o.Clock, o.MaxConcurrent, o.Timeout = clock, 8, time.Minute })
	cache, err := sso.NewCache(client, sso.CacheOptions{TTL: time.Minute, Grace: time.Hour, Size: 1000, Timeout: time.Minute, Clock: clock})
	require.NoError(t, err)
	t.Cleanup(cache.Close)

	for period := range int32(3) {
		var wrong atomic.Int32
		var all sync.WaitGroup
		for lane := range atOnce {
			all.Go(func() {
				for i := lane; i < checks; i += atOnce {
					token := fmt.Sprintf("user-%d", i%tokens)
					if who, err := ask(cache, token); err != nil || who.OpenID != token {
						wrong.Add(1)
					}
				}
			})
		}
		all.Wait()
		require.Zero(t, wrong.Load())
		require.LessOrEqual(t, calls.Load(), tokens*(period+1))
		ahead.Add(int64(time.Minute))
	}
}
