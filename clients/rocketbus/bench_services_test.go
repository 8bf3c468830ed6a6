//go:build services

package rocketbus_test

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/yanlink/yanlink/ws"
)

const (
	bodySize = 300
	perTick  = time.Millisecond // one body each: 1,000 a second
)

// BenchmarkBus_Latency tells how long bodies take from Publish to receive at 1,000 a second.
func BenchmarkBus_Latency(b *testing.B) {
	bus, node := mustOpen(b, shared(b).options()), node()
	latencies := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	var got atomic.Int64
	subscribe(b, bus, node, func(body []byte) {
		sent := time.Duration(binary.BigEndian.Uint64(body))
		_ = latencies.RecordValue(int64((now() - sent) / time.Microsecond))
		got.Add(1)
	})
	began := now()
	for i := range b.N {
		time.Sleep(began + time.Duration(i)*perTick - now())
		if err := bus.Publish(node, ws.LaneMessages, stamped()); err != nil {
			b.Fatal(err)
		}
	}
	until(b, "everything comes", func() bool { return got.Load() == int64(b.N) })
	b.ReportMetric(float64(latencies.ValueAtQuantile(50))/1000, "p50-ms")
	b.ReportMetric(float64(latencies.ValueAtQuantile(99))/1000, "p99-ms")
}

// BenchmarkBus_Throughput publishes as fast as the bus takes it.
func BenchmarkBus_Throughput(b *testing.B) {
	bus, node := mustOpen(b, shared(b).options()), node()
	var got atomic.Int64
	subscribe(b, bus, node, func([]byte) { got.Add(1) })
	b.SetBytes(bodySize)
	b.ResetTimer()
	for range b.N {
		for bus.Publish(node, ws.LaneMessages, stamped()) != nil {
			time.Sleep(time.Millisecond)
		}
	}
	until(b, "everything comes", func() bool { return got.Load() == int64(b.N) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bodies/s")
}

var start = time.Now()

// now is a monotonic time.
func now() time.Duration { return time.Since(start) }

func stamped() []byte {
	body := make([]byte, bodySize)
	binary.BigEndian.PutUint64(body, uint64(now()))
	return body
}
