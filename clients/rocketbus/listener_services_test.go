//go:build services

package rocketbus_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/ws"
)

// listener does what a node does: it subscribes, again when that ends, and sends canaries to itself all the time.
type listener struct {
	bus     *rocketbus.Bus
	node    string
	sent    atomic.Int64
	got     atomic.Int64 // the highest canary that came
	renewed atomic.Int64 // subscriptions that ended
}

func listen(tb testing.TB, bus *rocketbus.Bus, node string) *listener {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &listener{bus: bus, node: node}
	ended := make(chan struct{}, 2)
	go func() { l.subscribe(ctx); ended <- struct{}{} }()
	go func() { l.chirp(ctx); ended <- struct{}{} }()
	tb.Cleanup(func() { cancel(); <-ended; <-ended })
	return l
}

func (l *listener) subscribe(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.bus.Subscribe(ctx, l.node, ws.LaneMessages, l.receive); err != nil {
			l.renewed.Add(1)
			time.Sleep(200 * time.Millisecond)
		}
	}
}

func (l *listener) chirp(ctx context.Context) {
	for ctx.Err() == nil {
		_ = l.bus.Publish(l.node, ws.LaneMessages, fmt.Append(nil, l.sent.Add(1)))
		time.Sleep(20 * time.Millisecond)
	}
}

func (l *listener) receive(body []byte) {
	var n int64
	_, _ = fmt.Sscan(string(body), &n)
	l.got.Store(max(l.got.Load(), n))
}

// hears waits until a canary comes that was sent after the call.
func (l *listener) hears(tb testing.TB) time.Duration {
	tb.Helper()
	sent := l.sent.Load()
	return until(tb, "a canary comes", func() bool { return l.got.Load() > sent })
}
