//go:build services

package failures

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	flowRate  = 200 // messages a second in all
	flowPairs = 10

	// wellBelow is what the design asks of a second in which nothing is missing, at the 99th percentile.
	wellBelow = 20 * time.Millisecond
	// wellFor is how long that has to last to count, and wellWithin when it is given up.
	wellFor    = 3 * time.Second
	wellWithin = time.Minute

	// slowWithout bounds the 99th percentile while something is missing: ten times what the design asks.
	slowWithout = 12 * time.Second
	// slowAgain bounds the median of each pair where every node says that its bus works, as the reconciler comes each second
	// then: half a second is the median of whom the bus does not reach. On a busy machine the tail is long.
	slowAgain = 200 * time.Millisecond
)

// flow is a steady stream: people on the first node write to others on the second one and wait for nothing.
type flow struct {
	*town
	pairs   []*stream
	cancel  context.CancelFunc
	writers sync.WaitGroup
}

// stream is one pair of a flow.
type stream struct {
	from, to *person
	made     atomic.Int64
}

func (s *stream) msgid(n int64) string { return fmt.Sprintf("%s-%d", s.from.name, n) }

// flow begins one. It goes on until it is ended.
func (w *town) flow(name string) *flow {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	f := &flow{town: w, cancel: cancel}
	for i := range flowPairs {
		rose, jack := w.pair(fmt.Sprintf("%s-%d", name, i))
		f.pairs = append(f.pairs, &stream{from: rose, to: jack})
	}
	for _, s := range f.pairs {
		f.writers.Go(func() { s.run(ctx) })
		time.Sleep(time.Second / flowRate)
	}
	w.Cleanup(func() { cancel(); f.writers.Wait() })
	return f
}

func (s *stream) run(ctx context.Context) {
	ticker := time.NewTicker(flowPairs * time.Second / flowRate)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			msgid := s.msgid(s.made.Load())
			s.from.write(1, map[string]any{"toMessageId": s.to.name, "message": "text of " + msgid, "fileType": 0, "msgid": msgid})
			s.made.Add(1)
		}
	}
}

// lasts lets the flow go on, logs how long what was accepted meanwhile took, and returns its 99th percentile.
func (f *flow) lasts(what string, d time.Duration) time.Duration {
	f.Helper()
	began := time.Now()
	time.Sleep(d)
	return f.figures(what, began)
}

// figures logs how long what was accepted since then took, and returns its 99th percentile.
func (f *flow) figures(what string, since time.Time) time.Duration {
	f.Helper()
	until := time.Now()
	f.eventually("what was accepted is shown", func() bool { return f.allShown(until) })
	took := f.took(since, until)
	require.NotEmpty(f, took, "nothing was accepted")
	f.Logf("%s, %d a second: %s", what, flowRate, figuresOf(took))
	return percentile(took, 0.99)
}

// well waits until the flow is as fast again as when nothing is missing, and logs how long that took.
func (f *flow) well(what string) {
	f.Helper()
	began := time.Now()
	for {
		time.Sleep(wellFor / 6)
		now := time.Now()
		if now.Sub(began) < wellFor {
			continue
		}
		took := f.took(now.Add(-wellFor), now)
		p99 := percentile(took, 0.99)
		switch late := now.Sub(began) > wellWithin; {
		case len(took) < int(flowRate*wellFor.Seconds())/2:
			require.False(f, late, "%s: only %d messages were accepted in %v", what, len(took), wellFor)
		case p99 < wellBelow:
			f.Logf("%s: p99 below %v from %v on", what, wellBelow, max(0, now.Sub(began)-wellFor).Round(100*time.Millisecond))
			return
		case late:
			f.Logf("%s: p99 still %v after %v", what, p99.Round(time.Millisecond), wellWithin)
			f.reaches(now.Add(-wellFor), now)
			return
		}
	}
}

// end ends the flow: everything was accepted and is shown, once and in order.
func (f *flow) end() {
	f.Helper()
	f.cancel()
	f.writers.Wait()
	for _, s := range f.pairs {
		want := s.to.list()[:1] // the hello
		f.eventually("the last one is answered", func() bool { _, ok := s.from.answered(s.msgid(s.made.Load() - 1)); return ok })
		for n := range s.made.Load() {
			a, ok := s.from.answered(s.msgid(n))
			require.True(f, ok && a.Code == "", "%s was refused: %q", s.msgid(n), a.Code)
			want = append(want, s.msgid(n))
		}
		s.to.shows(want...)
	}
}

func (f *flow) allShown(accepted time.Time) bool {
	for _, s := range f.pairs {
		shown := s.to.shownAt()
		for n := range s.made.Load() {
			a, ok := s.from.answered(s.msgid(n))
			if _, is := shown[s.msgid(n)]; ok && a.at.Before(accepted) && !is {
				return false
			}
		}
	}
	return true
}

// took returns how long what was accepted within a time took to be shown; so far, if it is not.
func (f *flow) took(since, until time.Time) (took []time.Duration) {
	for _, s := range f.pairs {
		took = append(took, s.took(since, until)...)
	}
	slices.Sort(took)
	return took
}

// reaches makes sure that the bus works, on every node and for every pair, however busy the machine was.
func (f *flow) reaches(since, until time.Time) {
	f.Helper()
	for _, node := range f.nodes {
		require.Equal(f, "ok", f.health(node).Status)
	}
	for _, s := range f.pairs {
		took := s.took(since, until)
		require.NotEmpty(f, took, "nothing of %s was accepted", s.from.name)
		require.Less(f, percentile(took, 0.5), slowAgain, "%s is served by the reconciler", s.to.name)
	}
}

// took is that of the flow, of this pair.
func (s *stream) took(since, until time.Time) (took []time.Duration) {
	shown := s.to.shownAt()
	for n := range s.made.Load() {
		a, ok := s.from.answered(s.msgid(n))
		if !ok || a.at.Before(since) || a.at.After(until) {
			continue
		}
		at, ok := shown[s.msgid(n)]
		if !ok {
			at = time.Now()
		}
		took = append(took, max(0, at.Sub(a.at)))
	}
	slices.Sort(took)
	return took
}

// percentile returns the share's value of what is sorted.
func percentile(took []time.Duration, share float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return took[int(share*float64(len(took)-1))]
}

func figuresOf(took []time.Duration) string {
	at := func(share float64) time.Duration { return percentile(took, share).Round(100 * time.Microsecond) }
	return fmt.Sprintf("accepted to shown p50 %v, p99 %v, max %v, %d messages", at(0.5), at(0.99), at(1), len(took))
}
