package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// dependencies shows Prometheus what /readyz says of each dependency.
type dependencies struct {
	bundle *Bundle
	up     *prometheus.Desc
}

var _ prometheus.Collector = (*dependencies)(nil)

// watchDependencies registers them, until Stop. It comes last: from here on they may be asked.
func (b *Bundle) watchDependencies() error {
	return b.expose(&dependencies{b, prometheus.NewDesc(
		"yanlink_dependency_up", "1 for a dependency that answers, else 0: ledger, registry, bus, sso, outbox, discovery.", []string{"dependency"}, nil,
	)})
}

// Describe implements prometheus.Collector.
func (d *dependencies) Describe(to chan<- *prometheus.Desc) { to <- d.up }

// Collect implements prometheus.Collector.
func (d *dependencies) Collect(to chan<- prometheus.Metric) {
	for name, state := range d.bundle.Health(context.Background()).Dependencies {
		up := 0.0
		if state == "ok" {
			up = 1
		}
		to <- prometheus.MustNewConstMetric(d.up, prometheus.GaugeValue, up, name)
	}
}
