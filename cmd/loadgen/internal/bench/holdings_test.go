package bench

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
)

func TestHoldings_AreThoseOfTheServer(t *testing.T) {
	metrics, asked := promhttp.Handler(), make(chan struct{}, 1) // this process's own
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		case <-r.Context().Done():
		}
		metrics.ServeHTTP(w, r)
	}))
	defer server.Close()
	watch, err := watchHoldings(t.Context(), strings.TrimPrefix(server.URL, "http://"), time.Second)
	require.NoError(t, err)
	for range 3 { // the first look is no sample, and who asks for the third time has taken one
		select {
		case <-asked:
		case <-watch.done: // it has failed
		}
	}
	samples, err := watch.stop()
	require.NoError(t, err)
	require.NotEmpty(t, samples)
	for _, what := range held {
		require.Positive(t, *what.of(&samples[0]), what.name)
	}
	require.Greater(t, samples[0].RSS, samples[0].Goroutines)
}

func TestHoldings_ThatAreNotSaid(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := watchHoldings(t.Context(), strings.TrimPrefix(server.URL, "http://"), time.Second)
	require.ErrorContains(t, err, "0 of the 4")
}

func TestHoldings_Growth(t *testing.T) {
	samples := make([]Holdings, 16)
	for i := range samples {
		samples[i].RSS = 100
		if i >= 12 {
			samples[i].RSS = 125
		}
	}
	samples[0].RSS, samples[13].RSS = 9, 9_999 // a median passes over what stands alone
	rss := held[0].of
	require.InDelta(t, 25, growth(samples, rss), 1e-9)
	require.Zero(t, growth(samples[:12], rss))
	require.Zero(t, growth(nil, rss))
}
