package app

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// metrics measures the engine for Prometheus. No label ever names a user: there are too many of them.
type metrics struct {
	sessions   prometheus.Gauge
	messages   *prometheus.CounterVec
	frames     *prometheus.CounterVec
	requests   *prometheus.CounterVec
	commitSize prometheus.Histogram
	commitTime *prometheus.HistogramVec
	delivery   prometheus.Histogram
	pushes     *prometheus.CounterVec
	rested     prometheus.Counter
	catchUps   prometheus.Counter
	waits      prometheus.Counter
	queues     *prometheus.GaugeVec
	closed     *prometheus.CounterVec
	doorbells  *prometheus.CounterVec
	events     *prometheus.CounterVec
	outbox     *prometheus.GaugeVec

	// Looked up once: these are counted for each message.
	accepted, pushedLocal, pushedBus, pushedLedger prometheus.Counter
}

var _ ws.Metrics = (*metrics)(nil)

func newMetrics() *metrics {
	m := &metrics{
		sessions:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "yanlink_sessions", Help: "Live sessions on this node."}),
		messages:   counters("yanlink_messages_total", "Messages by what became of them: accepted, duplicate, scheduled, or the code they were refused with.", "outcome"),
		frames:     counters("yanlink_refused_frames_total", "Frames of clients answered with an error, by code.", "code"),
		requests:   counters("yanlink_refused_requests_total", "HTTP requests answered with an error, by code; refused connects among them.", "code"),
		commitSize: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "yanlink_commit_items", Help: "Items written by one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 12)}),
		commitTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "yanlink_commit_duration_seconds", Help: "Time of one commit, by whether it held.", Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
		}, []string{"result"}),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "yanlink_delivery_duration_seconds", Help: "Time from the commit of a record to its first acknowledgement by a device.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 20),
		}),
		pushes:   counters("yanlink_pushes_total", "Records written to sessions, by the way they came: local, bus, ledger, or resend because no acknowledgement came.", "path"),
		rested:   counter("yanlink_rested_records_total", "Records that a session was given up on until it comes back."),
		catchUps: counter("yanlink_catchups_total", "Sessions that turned to reading the ledger."),
		waits:    counter("yanlink_window_waits_total", "Records that had to wait for room in a window."),
		queues: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "yanlink_queue_depth", Help: "What waits in a bounded queue, by its name.",
		}, []string{"queue"}),
		doorbells: counters("yanlink_doorbells_total", "Bodies on the bus, by what became of them: sent, received, stale; and what the reconciler has to look after: unsent, lost, dropped, broken.", "outcome"),
		events:    counters("yanlink_events_total", "Events for other systems, by what became of them: published; failed, for an attempt; dead, when given up.", "outcome"),
		outbox: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "yanlink_outbox_events", Help: "Events in the outbox by state, as far as they are counted: pending, dead. Only the node that publishes them counts.",
		}, []string{"state"}),
		closed: counters("yanlink_closed_sessions_total", "Sessions that the server closed, by close code.", "code"),
	}
	// A rise is seen only of a counter that was there before it.
	for _, outcome := range []string{"sent", "received", "stale", "unsent", "lost", "dropped", "broken"} {
		m.doorbells.WithLabelValues(outcome)
	}
	for _, code := range []protocol.Code{protocol.StorageUnavailable, protocol.Overloaded, protocol.Internal, protocol.SSOUnavailable} {
		m.messages.WithLabelValues(string(code))
		m.requests.WithLabelValues(string(code))
	}
	for _, outcome := range []string{"published", "failed", "dead"} {
		m.events.WithLabelValues(outcome)
	}
	for _, code := range []int{protocol.CloseFault, protocol.CloseOverload, protocol.CloseNoHeartbeat, protocol.CloseAcksNothing} {
		m.closed.WithLabelValues(strconv.Itoa(code))
	}
	m.accepted = m.messages.WithLabelValues("accepted")
	m.pushedLocal = m.pushes.WithLabelValues(string(ws.PathLocal))
	m.pushedBus = m.pushes.WithLabelValues(string(ws.PathBus))
	m.pushedLedger = m.pushes.WithLabelValues(string(ws.PathLedger))
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

// collectors lists all of them.
func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.sessions, m.messages, m.frames, m.requests, m.commitSize, m.commitTime, m.delivery, m.pushes, m.rested, m.catchUps,
		m.waits, m.queues, m.closed, m.doorbells, m.events, m.outbox,
	}
}

// register makes the metrics and registers them until Stop.
func (b *Bundle) register() error {
	b.metrics = newMetrics()
	b.registerer = b.opt.registerer
	if b.registerer == nil {
		own := prometheus.NewRegistry()
		own.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		b.registerer = own
	}
	b.gatherer, _ = b.registerer.(prometheus.Gatherer)
	for _, c := range b.metrics.collectors() {
		if err := b.expose(c); err != nil {
			return err
		}
	}
	return nil
}

// expose registers a collector until Stop.
func (b *Bundle) expose(c prometheus.Collector) error {
	if err := b.registerer.Register(c); err != nil {
		return fmt.Errorf("register the metrics: %w", explainRegister(err))
	}
	b.onStop("unregister a metric", func() error { b.registerer.Unregister(c); return nil })
	return nil
}

func explainRegister(err error) error {
	if errors.As(err, &prometheus.AlreadyRegisteredError{}) {
		return fmt.Errorf("the registry has those of another bundle; give each one its own by app.WithRegisterer: %w", err)
	}
	return err
}

// refusedRequest counts HTTP requests answered with an error.
func (m *metrics) refusedRequest(code protocol.Code) { m.requests.WithLabelValues(string(code)).Inc() }

// Session implements ws.Metrics.
func (m *metrics) Session(delta int) { m.sessions.Add(float64(delta)) }

// Message implements ws.Metrics.
func (m *metrics) Message(outcome string, n int) {
	if outcome == "accepted" {
		m.accepted.Add(float64(n))
		return
	}
	m.messages.WithLabelValues(outcome).Add(float64(n))
}

// Refusal implements ws.Metrics.
func (m *metrics) Refusal(reason string) { m.frames.WithLabelValues(reason).Inc() }

// Commit implements ws.Metrics.
func (m *metrics) Commit(items int, took time.Duration, ok bool) {
	result := "ok"
	if !ok {
		result = "failed"
	}
	m.commitSize.Observe(float64(items))
	m.commitTime.WithLabelValues(result).Observe(took.Seconds())
}

// Delivered implements ws.Metrics.
func (m *metrics) Delivered(latency time.Duration) { m.delivery.Observe(latency.Seconds()) }

// Pushed implements ws.Metrics.
func (m *metrics) Pushed(path ws.Path) {
	switch path {
	case ws.PathLocal:
		m.pushedLocal.Inc()
	case ws.PathBus:
		m.pushedBus.Inc()
	case ws.PathLedger:
		m.pushedLedger.Inc()
	default:
		m.pushes.WithLabelValues(string(path)).Inc()
	}
}

// Doorbell implements ws.Metrics.
func (m *metrics) Doorbell(outcome string, n int) {
	m.doorbells.WithLabelValues(outcome).Add(float64(n))
}

// Rested implements ws.Metrics.
func (m *metrics) Rested() { m.rested.Inc() }

// CatchUp implements ws.Metrics.
func (m *metrics) CatchUp() { m.catchUps.Inc() }

// WindowFull implements ws.Metrics.
func (m *metrics) WindowFull() { m.waits.Inc() }

// Queue implements ws.Metrics.
func (m *metrics) Queue(name string, depth int) { m.queues.WithLabelValues(name).Set(float64(depth)) }

// Event implements ws.Metrics.
func (m *metrics) Event(outcome string, n int) { m.events.WithLabelValues(outcome).Add(float64(n)) }

// Outbox implements ws.Metrics.
func (m *metrics) Outbox(pending, dead int) {
	m.outbox.WithLabelValues("pending").Set(float64(pending))
	m.outbox.WithLabelValues("dead").Set(float64(dead))
}

// Closed implements ws.Metrics.
func (m *metrics) Closed(code int) { m.closed.WithLabelValues(strconv.Itoa(code)).Inc() }
