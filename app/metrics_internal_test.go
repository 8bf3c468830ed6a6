package app

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestMetrics(t *testing.T) {
	m := newMetrics()
	m.Session(2)
	m.Session(-1)
	m.Message("accepted", 3)
	m.Message("conflict", 1)
	m.Refusal("bad_json")
	m.refusedRequest("unauthorized")
	m.Commit(5, time.Millisecond, true)
	m.Commit(1, time.Second, false)
	m.Delivered(2 * time.Millisecond)
	for range 4 {
		m.Pushed(ws.PathLocal)
	}
	m.Pushed(ws.PathBus)
	m.Pushed(ws.PathLedger)
	m.Pushed(ws.PathResend)
	m.Doorbell("sent", 1)
	busMetrics{m}.Lost(1)
	m.Rested()
	m.CatchUp()
	m.WindowFull()
	m.Queue("commit", 7)
	m.Closed(4410)
	m.Event("dead", 1)
	m.Outbox(12, 3)
	registry := prometheus.NewPedanticRegistry()
	for _, c := range m.collectors() {
		require.NoError(t, registry.Register(c))
		problems, err := testutil.CollectAndLint(c)
		require.NoError(t, err)
		require.Empty(t, problems)
	}
	for want, c := range map[float64]prometheus.Collector{
		1: m.sessions, 12: m.outbox.WithLabelValues("pending"), 3: m.messages.WithLabelValues("accepted"), 4: m.pushes.WithLabelValues("local"), 7: m.queues.WithLabelValues("commit"),
	} {
		require.InDelta(t, want, testutil.ToFloat64(c), 0)
	}
	for _, c := range []prometheus.Collector{
		m.messages.WithLabelValues("conflict"), m.frames.WithLabelValues("bad_json"), m.requests.WithLabelValues("unauthorized"),
		m.pushes.WithLabelValues("bus"), m.pushes.WithLabelValues("ledger"), m.pushes.WithLabelValues("resend"),
		m.doorbells.WithLabelValues("sent"), m.doorbells.WithLabelValues("lost"), m.rested, m.catchUps, m.waits, m.closed.WithLabelValues("4410"),
		m.events.WithLabelValues("dead"),
	} {
		require.InDelta(t, 1, testutil.ToFloat64(c), 0)
	}
	require.Equal(t, 2, testutil.CollectAndCount(m.commitTime), "by result")
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		require.Regexp(t, "^yanlink_", family.GetName())
	}
}
