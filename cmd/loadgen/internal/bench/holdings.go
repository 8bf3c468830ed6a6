package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Holdings are what a server held at one moment, by its own metrics.
type Holdings struct {
	At          time.Duration `json:"at_ns"` // since the first
	RSS         float64       `json:"rss_bytes"`
	Heap        float64       `json:"heap_in_use_bytes"`
	Goroutines  float64       `json:"goroutines"`
	Descriptors float64       `json:"descriptors"`
}

// held are the parts of Holdings, with the metrics that say them.
var held = []struct {
	name, metric string
	of           func(*Holdings) *float64
}{
	{"resident memory", "process_resident_memory_bytes", func(h *Holdings) *float64 { return &h.RSS }},
	{"heap in use", "go_memstats_heap_inuse_bytes", func(h *Holdings) *float64 { return &h.Heap }},
	{"goroutines", "go_goroutines", func(h *Holdings) *float64 { return &h.Goroutines }},
	{"descriptors", "process_open_fds", func(h *Holdings) *float64 { return &h.Descriptors }},
}

const (
	// holdingSamples is how many are taken in one run.
	holdingSamples = 120
	holdingTimeout = 10 * time.Second
)

// holdingsWatch takes samples beside a run.
type holdingsWatch struct {
	end     context.CancelFunc
	done    chan struct{}
	samples []Holdings
	err     error
}

// watchHoldings takes samples of the server with this admin address until stop is called.
func watchHoldings(ctx context.Context, admin string, over time.Duration) (*holdingsWatch, error) {
	if _, err := holdings(ctx, admin); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	w := &holdingsWatch{end: end, done: make(chan struct{})}
	go w.run(ctx, admin, max(over/holdingSamples, 10*time.Millisecond))
	return w, nil
}

func (w *holdingsWatch) run(ctx context.Context, admin string, every time.Duration) {
	defer close(w.done)
	began := time.Now()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		h, err := holdings(ctx, admin)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.err = err
			return
		}
		h.At = time.Since(began)
		w.samples = append(w.samples, h)
	}
}

func (w *holdingsWatch) stop() ([]Holdings, error) {
	w.end()
	<-w.done
	return w.samples, w.err
}

// holdings reads them once.
func holdings(ctx context.Context, admin string) (h Holdings, err error) {
	ctx, cancel := context.WithTimeout(ctx, holdingTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return h, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return h, fmt.Errorf("read what the server holds: %w", err)
	}
	defer response.Body.Close()
	found := 0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		for _, what := range held {
			text, ok := strings.CutPrefix(lines.Text(), what.metric+" ")
			if !ok {
				continue
			}
			if *what.of(&h), err = strconv.ParseFloat(text, 64); err != nil {
				return h, fmt.Errorf("read %s: %w", what.metric, err)
			}
			found++
		}
	}
	if err := lines.Err(); err != nil || found < len(held) {
		return h, errors.Join(err, fmt.Errorf("%s/metrics says %d of the %d figures of what the server holds", admin, found, len(held)))
	}
	return h, nil
}

// growth is by how many percent the median of the last quarter of samples lies above that of the second: by then all is in
// use that is filled once.
func growth(samples []Holdings, of func(*Holdings) *float64) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 0
	}
	value := func(h *Holdings) float64 { return *of(h) }
	before, after := middle(samples[quarter:2*quarter], value), middle(samples[len(samples)-quarter:], value)
	if before == 0 {
		return 0
	}
	return (after/before - 1) * 100
}
