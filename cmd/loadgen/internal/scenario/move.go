package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

// Failover has n clients on the first node, in pairs, ends that node by kill, and measures until each of them is connected
// to another one and has everything. While they move, some write to their peers.
func Failover(ctx context.Context, nodes []Target, n int, kill func() error, note *Progress) (moved Moved, err error) {
	if len(nodes) < 2 {
		return moved, errors.New("a failover needs two nodes at least")
	}
	err = withMovers(ctx, nodes[:1], n, note, func(ctx context.Context, m *movers) error {
		m.use(nodes[1:]...) // what becomes of a connect to a dead node is up to a load balancer
		if err := kill(); err != nil {
			return err
		}
		m.begin()
		last, err := m.finish(ctx)
		moved = m.result(last)
		note.Step("the last of %d has everything after %v, half of them after %.0f ms; half were back after %.0f ms, 99 of 100 after %.0f ms",
			n, last.Round(time.Millisecond), moved.Consistent.P50, moved.Away.P50, moved.Away.P99)
		return err
	})
	return moved, err
}

// RollingRestart has n clients on all nodes, in pairs, restarts one node after the other by restart, and checks after each
// that nobody misses anything.
func RollingRestart(ctx context.Context, nodes []Target, n int, restart func(i int) error, note *Progress) (moved Moved, err error) {
	if len(nodes) < 2 {
		return moved, errors.New("a rolling restart needs two nodes at least")
	}
	err = withMovers(ctx, nodes, n, note, func(ctx context.Context, m *movers) error {
		var last time.Duration
		for i := range nodes {
			m.use(append(append([]Target{}, nodes[:i]...), nodes[i+1:]...)...) // as a load balancer does that asks /readyz
			began := time.Now()
			if err := restart(i); err != nil {
				return err
			}
			m.use(nodes...)
			m.begin()
			took, err := m.finish(ctx)
			if err != nil {
				return fmt.Errorf("after node %d: %w", i+1, err)
			}
			last = max(last, took)
			note.Step("node %d of %d is back after %v", i+1, len(nodes), time.Since(began).Round(time.Millisecond))
		}
		moved = m.result(last)
		return nil
	})
	return moved, err
}

// withMovers runs work with movers who have everything.
func withMovers(ctx context.Context, nodes []Target, n int, note *Progress, work func(context.Context, *movers) error) error {
	ctx, cancel := context.WithCancel(ctx)
	m, err := newMovers(ctx, nodes, n)
	if err != nil {
		cancel()
		return err
	}
	defer m.living.Wait()
	defer cancel()
	m.begin()
	took, err := m.finish(ctx)
	if err != nil {
		return err
	}
	note.Step("%d clients are there after %v", n, took.Round(time.Millisecond))
	m.forget()
	return work(ctx, m)
}

// forget begins to measure anew.
func (m *movers) forget() {
	m.consistent, m.away = measure.NewLatency(), measure.NewLatency()
	for _, counter := range []interface{ Store(int64) }{&m.drained, &m.broken, &m.refused, &m.repeated} {
		counter.Store(0)
	}
	m.brokenBy.Store(nil)
	m.refusedBy.Store(nil)
}
