package measure

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	shortest = 1                             // µs
	longest  = 120 * 1000 * 1000             // µs
	digits   = 3                             // of precision
	unit     = time.Microsecond              // of everything recorded
	ceiling  = time.Duration(longest) * unit // longer times are recorded as this
)

// Latency is a histogram of durations, precise to three digits between a microsecond and two minutes. It is safe for
// concurrent use.
type Latency struct {
	mu   sync.Mutex
	hist *hdrhistogram.Histogram
}

// NewLatency returns an empty histogram.
func NewLatency() *Latency { return &Latency{hist: hdrhistogram.New(shortest, longest, digits)} }

// Record counts a duration; negative ones count as the shortest.
func (l *Latency) Record(d time.Duration) {
	value := min(max(d, unit), ceiling) / unit
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.hist.RecordValue(int64(value)) // it is within the bounds
}

// Merge adds what other holds.
func (l *Latency) Merge(other *Latency) {
	other.mu.Lock()
	snapshot := other.hist.Export()
	other.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hist.Merge(hdrhistogram.Import(snapshot))
}

// Reset forgets everything.
func (l *Latency) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hist.Reset()
}

// Summary is a histogram in few numbers, all in milliseconds but the count.
type Summary struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

// Summary returns the histogram's percentiles.
func (l *Latency) Summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	ms := func(v int64) float64 { return float64(v) / 1000 }
	at := func(q float64) float64 { return ms(l.hist.ValueAtQuantile(q)) }
	return Summary{
		Count: l.hist.TotalCount(), Mean: l.hist.Mean() / 1000, P50: at(50), P90: at(90), P99: at(99),
		P999: at(99.9), Max: ms(l.hist.Max()),
	}
}
