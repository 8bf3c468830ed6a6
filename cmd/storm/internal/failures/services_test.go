//go:build services

package failures

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

const few, many = 50, 250 // messages of a traffic

// While one is missing, this is for how long the flow is measured.
const missing = 10 * time.Second

// RocketMQ stopped: delivery goes on through the reconciler, and is back to milliseconds when it returns.
func TestBroker_Dead(t *testing.T) {
	w := newTown(t, 2, nil)
	f := w.flow("broker")
	f.lasts("all is well", missing)
	w.down(w.Broker, func() {
		p99 := f.lasts("without the broker, from its death on", missing)
		require.Less(t, p99, slowWithout)
		w.degraded(w.nodes[0], "bus")
		w.degraded(w.nodes[1], "bus")
		require.Equal(t, "online", w.presence(w.nodes[0], f.pairs[0].to.name), "presence does not need the bus")
	})
	f.well("with the broker again")
	w.ok(w.nodes[0])
	w.ok(w.nodes[1])
	f.end()
}

// A broker that is frozen answers nobody and closes nothing, as one does behind a network that drops everything.
func TestBroker_Frozen(t *testing.T) {
	w := newTown(t, 2, nil)
	f := w.flow("broker-frozen")
	w.frozen(w.Broker, func() {
		p99 := f.lasts("with a frozen broker, from the first moment on", missing)
		require.Less(t, p99, slowWithout)
		w.degraded(w.nodes[0], "bus")
	})
	f.well("the broker goes on")
	w.ok(w.nodes[0])
	w.ok(w.nodes[1])
	f.end()
}

// The name server alone is missed by nobody who knows the broker.
func TestNameServer_Dead(t *testing.T) {
	w := newTown(t, 2, nil)
	f := w.flow("namesrv")
	w.down(w.Namesrv, func() {
		began := time.Now()
		f.lasts("without the name server", missing)
		f.reaches(began, time.Now())
	})
	f.well("with the name server again")
	f.end()
}

// Redis stopped: the same as without the bus, and presence says unknown rather than wrong.
func TestRedis_Dead(t *testing.T) {
	w := newTown(t, 2, nil)
	f := w.flow("redis")
	jack := f.pairs[0].to.name
	w.down(w.Redis, func() {
		p99 := f.lasts("without Redis, from its death on", missing)
		require.Less(t, p99, slowWithout)
		w.degraded(w.nodes[0], "registry")
		require.Equal(t, "unknown", w.presence(w.nodes[0], jack))
	})
	w.becomes(w.nodes[0], jack, "online")
	f.well("with Redis again")
	w.ok(w.nodes[0])
	w.ok(w.nodes[1])
	f.end()
}

// Redis flushed: everything is registered again within seconds.
func TestRedis_Flushed(t *testing.T) {
	w := newTown(t, 2, nil)
	f := w.flow("flush")
	rose, jack := f.pairs[0].from.name, f.pairs[0].to.name
	require.NoError(t, w.FlushRedis(t.Context()))
	flushed := time.Now()
	w.becomes(w.nodes[0], jack, "online")
	w.becomes(w.nodes[1], rose, "online")
	f.well("Redis was flushed")
	require.Less(t, f.figures("from the flush on", flushed), slowWithout)
	f.end()
}

// The SQL server stopped: sends are refused, sessions stay, what is acknowledged meanwhile is recorded later, and
// everything goes on by itself.
func TestSQL_Dead(t *testing.T) {
	for _, how := range []struct {
		name  string
		short bool
		gone  func(w *town, do func())
	}{
		{"Killed", true, func(w *town, do func()) { w.down(w.SQL, do) }},
		{"Frozen", false, func(w *town, do func()) { w.frozen(w.SQL, do) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			onStores(t, how.short, func(t *testing.T, kind services.Kind) { sqlGone(t, kind, how.name, how.gone) })
		})
	}
}

func sqlGone(t *testing.T, kind services.Kind, name string, gone func(w *town, do func())) {
	w := found(t).on(kind).raise(2, nil)
	rose, jack := w.pair("sql-" + name)
	third := w.connect(w.nodes[1], "sql-"+name+"-third", "web")
	jack.keepSilent(true)
	sent := rose.must(jack.name, "before")
	jack.shows("sql-"+name+"-hello", "before")
	gone(w, func() {
		// At the same time, since each of them takes as long as a commit may.
		var refused answer
		var status, handshake int
		var asking sync.WaitGroup
		asking.Go(func() { refused = rose.send(jack.name, "meanwhile") })
		asking.Go(func() {
			status = w.call(w.nodes[1], third.name, http.MethodPost, "/api/v1/messages",
				map[string]any{"to": []string{rose.name}, "message": "by REST", "msgid": "rest"}, nil)
		})
		asking.Go(func() { _, handshake = w.dial(w.nodes[1], jack.name, "phone") })
		asking.Wait()
		require.Equal(t, "storage_unavailable", refused.Code)
		require.True(t, refused.Temporary)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, http.StatusServiceUnavailable, handshake)
		jack.acknowledgeAll()
	})
	w.eventually("the acknowledgement is recorded", func() bool { return jack.wasAcked(sent.MessageID) })
	w.eventually("its sender knows", func() bool { return rose.wasProved(sent.MessageID) })
	require.True(t, rose.alive())
	require.True(t, jack.alive())
	jack.keepSilent(false)
	rose.must(jack.name, "meanwhile")
	jack.shows("sql-"+name+"-hello", "before", "meanwhile")
	w.traffic("with SQL again", rose, jack, many)
}

// The SSO stopped: known tokens work, new ones are told to come again, not that they are bad.
func TestSSO_Dead(t *testing.T) {
	w := foundBeside(t).raise(2, nil)
	rose, jack := w.pair("sso")
	require.NoError(t, w.sso.Close())
	w.traffic("without the SSO", rose, jack, few)
	w.connect(w.nodes[1], jack.name, "phone")
	_, status := w.dial(w.nodes[0], "sso-stranger", "web")
	require.Equal(t, http.StatusServiceUnavailable, status)
}

// A node starts while a service is down: it says so, delivers through the ledger, and joins by itself.
func TestNode_StartsWithout(t *testing.T) {
	for _, c := range []struct {
		name, dependency string
		server           func(w *town) *services.Server
	}{
		{"Broker", "bus", func(w *town) *services.Server { return w.Broker }},
		{"NameServer", "bus", func(w *town) *services.Server { return w.Namesrv }},
		{"Redis", "registry", func(w *town) *services.Server { return w.Redis }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := found(t)
			w.down(c.server(w), func() {
				for n := range 2 {
					require.NoError(t, w.prepare(n+1, nil).Start(t.Context()))
				}
				w.degraded(w.nodes[0], c.dependency)
				rose, jack := w.pair("without-" + c.name)
				w.traffic("started without "+c.name, rose, jack, few)
			})
			w.ok(w.nodes[0])
			w.ok(w.nodes[1])
			rose, jack := w.pair("joined-" + c.name)
			w.traffic("joined", rose, jack, many)
			w.becomes(w.nodes[0], jack.name, "online")
		})
	}
}
