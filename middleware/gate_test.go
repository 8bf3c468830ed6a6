package middleware_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws/wstest"
)

// gated is a server behind a gate.
type gated struct {
	url    string
	closed atomic.Int64
}

func newGated(t *testing.T, perSecond float64) *gated {
	t.Helper()
	g := &gated{}
	gate := middleware.NewGate(func() { g.closed.Add(1) })
	engine := gin.New()
	engine.Use(middleware.RequestID(), middleware.Errors(wstest.NewLog(t).Logger(), nil))
	engine.GET("/open", middleware.LimitIP(middleware.IPLimits{ConnectsPerSecond: perSecond, Gate: gate}), func(c *gin.Context) { c.Status(204) })
	engine.GET("/other", func(c *gin.Context) { c.Status(204) })
	server := httptest.NewUnstartedServer(engine)
	server.Listener = gate.Listener(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// from returns a client with an address of its own, which keeps its connection where it may.
func from(t *testing.T, address string) *http.Client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0))}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// get returns the status of a request; 0 if the connection was closed without an answer.
func (g *gated) get(client *http.Client, path string) int {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, g.url+path, http.NoBody)
	if err != nil {
		return 0
	}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestGate_ClosesWhoGoesOnAndOn(t *testing.T) {
	const perSecond = 5
	g := newGated(t, perSecond)
	bad, good := from(t, "127.0.0.66"), from(t, "127.0.0.1")
	answers := map[int]int{}
	for g.closed.Load() == 0 {
		answers[g.get(bad, "/open")]++
	}
	require.GreaterOrEqual(t, answers[204], 2*perSecond)
	require.GreaterOrEqual(t, answers[429], 2*perSecond, "who goes on is told so first")

	const more = 100
	got := make(chan int, more)
	began := time.Now()
	for range more {
		go func() { got <- g.get(bad, "/open") }()
	}
	for range more {
		answers[<-got]++
	}
	took := time.Since(began)
	require.GreaterOrEqual(t, took, time.Second, "who is closed unread has to wait for it")
	require.LessOrEqual(t, int64(answers[0]), g.closed.Load(), "the client tries some of them again by itself")
	require.GreaterOrEqual(t, answers[0], more-1-int(perSecond*took.Seconds()), "no more than may be tried comes through")
	require.Equal(t, 204, g.get(good, "/open"), "another address is not affected")
	require.Eventually(t, func() bool { return g.get(bad, "/other") == 204 }, 10*time.Second, time.Second/perSecond,
		"what may be tried comes through")
}

func TestGate_OpensForWhoIsQuiet(t *testing.T) {
	g := newGated(t, 2)
	client := from(t, "127.0.0.66")
	for g.closed.Load() == 0 {
		g.get(client, "/open")
	}
	require.Eventually(t, func() bool {
		time.Sleep(3100 * time.Millisecond)
		before := g.closed.Load()
		for range 20 { // far more than come through a narrow gate
			client.CloseIdleConnections()
			g.get(client, "/other")
		}
		return g.closed.Load() == before
	}, time.Minute, time.Millisecond)
}

// A refused client that kept its connection would never come by the gate again.
func TestLimitIP_EndsTheConnection(t *testing.T) {
	g := newGated(t, 0.5)
	client := from(t, "127.0.0.66")
	require.Equal(t, 204, g.get(client, "/open"))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/open", http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 429, response.StatusCode)
	require.True(t, response.Close)
}
