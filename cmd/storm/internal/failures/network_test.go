//go:build services

package failures

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/world"
	"github.com/yanlink/yanlink/deploy/services"
)

// The network between a node and what it can do without fails in every way that networks do, and comes back.
func TestNetwork_Bad(t *testing.T) {
	t.Parallel()
	t.Run("Redis", func(t *testing.T) {
		w := foundBeside(t)
		proxy := services.MustProxy(t, w.Redis.Addr)
		w.raise(2, onSecond(func(a *world.Addresses) { a.Redis = proxy.Addr }))
		w.throughBadNetwork("bad-redis", proxy)
	})
	t.Run("NameServer", func(t *testing.T) {
		w := foundBeside(t)
		proxy := services.MustProxy(t, w.Namesrv.Addr)
		w.raise(2, onSecond(func(a *world.Addresses) { a.Namesrv = proxy.Addr }))
		w.throughBadNetwork("bad-namesrv", proxy)
	})
	t.Run("Broker", func(t *testing.T) {
		w := foundBeside(t)
		names := services.MustStart(t, services.Spec{Kind: services.Namesrv})
		broker := services.MustStart(t, services.Spec{Kind: services.Broker, Namesrv: names.Addr, Announce: besides})
		_, port, err := net.SplitHostPort(broker.Addr)
		require.NoError(t, err)
		proxy := services.MustProxyAt(t, net.JoinHostPort(besides, port), broker.Addr)
		// A broker tells everybody the same address, so this network is bad for both nodes.
		w.raise(2, func(_ int, a *world.Addresses) { a.Namesrv = names.Addr })
		w.throughBadNetwork("bad-broker", proxy)
	})
}

// besides is an address of loopback where nothing else listens.
const besides = "127.0.0.2"

// onSecond changes what the second node finds where.
func onSecond(change func(a *world.Addresses)) func(int, *world.Addresses) {
	return func(n int, a *world.Addresses) {
		if n == 2 {
			change(a)
		}
	}
}

// throughBadNetwork has people talk over the second node while the proxy behind it does its worst.
func (w *town) throughBadNetwork(name string, proxy *services.Proxy) {
	w.Helper()
	rose, jack := w.pair(name)
	for _, f := range append(deadNetworks(proxy), poorNetworks(proxy, slow)...) {
		f.begin()
		w.traffic(f.what+", towards it", rose, jack, few)
		w.traffic(f.what+", from it", jack, rose, few)
		require.NoError(w, proxy.Heal())
		w.ok(w.nodes[1])
		w.traffic("after "+f.what, rose, jack, few)
	}
	require.True(w, rose.alive())
	require.True(w, jack.alive())
}

// badNetwork is one way in which a network fails.
type badNetwork struct {
	what  string
	begin func()
}

// deadNetworks let nothing through.
func deadNetworks(p *services.Proxy) []badNetwork {
	return []badNetwork{
		{"refused", func() { p.Refuse(); p.Cut() }},
		{"black hole", p.BlackHole},
	}
}

// poorNetworks can be worked with, over a new connection at the latest.
func poorNetworks(p *services.Proxy, slow time.Duration) []badNetwork {
	return []badNetwork{
		{"reset", p.Cut},
		{"half-closed towards the server", func() { p.HalfClose(services.ServerSide) }},
		{"half-closed towards the node", func() { p.HalfClose(services.ClientSide) }},
		{"slow by " + slow.String(), func() { p.Delay(slow) }},
	}
}

const slow = 500 * time.Millisecond

// The network between one node and the database fails: only who is on that node waits, and nobody is thrown out.
func TestNetwork_CutFromSQL(t *testing.T) {
	t.Parallel()
	onStores(t, false, networkCutFromSQL)
}

func networkCutFromSQL(t *testing.T, kind services.Kind) {
	w := foundBeside(t).on(kind)
	sql := w.SQL
	proxy := services.MustProxy(t, sql.Addr)
	behind := services.Instance{Kind: sql.Kind, Addr: proxy.Addr}
	w.raise(2, onSecond(func(a *world.Addresses) { a.DSN = behind.DSN(services.Database) }))
	rose, jack := w.pair("cut-sql")
	want := jack.list()
	for _, f := range deadNetworks(proxy) {
		f.begin()
		refused := jack.send(rose.name, f.what+"-back")
		require.Equal(t, "storage_unavailable", refused.Code)
		var ids []string
		for i := range few {
			msgid := fmt.Sprintf("%s-%d", f.what, i)
			sent := rose.send(jack.name, msgid)
			require.Empty(t, sent.Code, "the other node has its database")
			ids, want = append(ids, sent.MessageID), append(want, msgid)
		}
		require.NoError(t, proxy.Heal())
		jack.shows(want...)
		for _, id := range ids {
			w.eventually("the sender has the proof", func() bool { return rose.wasProved(id) })
		}
		require.Empty(t, jack.must(rose.name, f.what+"-back").Code)
		require.True(t, jack.alive())
	}
	rose.shows("refused-back", "black hole-back")
	for _, f := range poorNetworks(proxy, slow) {
		f.begin()
		w.traffic("the database behind a network: "+f.what+", from it", jack, rose, 5)
		w.traffic("the database behind a network: "+f.what+", towards it", rose, jack, 5)
		require.NoError(t, proxy.Heal())
		w.ok(w.nodes[1])
		w.traffic("after "+f.what, jack, rose, few)
	}
	require.True(t, rose.alive())
	require.True(t, jack.alive())
}
