package app

import (
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync"
	"time"
)

// minSurplus is what is not worth a collection.
const minSurplus = 8 << 20

// trimmer gives memory back to the system in quiet times. What a storm of connects or a backlog leaves behind Go keeps to
// grow into again, as much as is in use: fine under load, and for ten thousand sessions that stand still a third of what
// they hold.
type trimmer struct {
	samples []runtimemetrics.Sample
	allocs  uint64 // allocated up to the last look
	end     chan struct{}
	running sync.WaitGroup
}

// newTrimmer looks each so often whether it is quiet, until stop is called; never if every is 0.
func newTrimmer(every time.Duration) *trimmer {
	t := &trimmer{end: make(chan struct{}), samples: []runtimemetrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}}
	if every > 0 {
		t.running.Go(func() { t.run(every) })
	}
	return t
}

func (t *trimmer) stop() {
	close(t.end)
	t.running.Wait()
}

func (t *trimmer) run(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-t.end:
			return
		case <-ticker.C:
			t.look()
		}
	}
}

// look collects and gives back if little was allocated since the last look, and much is there that nobody uses. Both are
// measured by what is in use, so that it costs a few collections at most until there is load again.
func (t *trimmer) look() (trimmed bool) {
	runtimemetrics.Read(t.samples)
	allocs, live := t.samples[0].Value.Uint64(), t.samples[1].Value.Uint64()
	objects, free := t.samples[2].Value.Uint64(), t.samples[3].Value.Uint64()
	fresh := allocs - t.allocs
	t.allocs = allocs
	surplus := free + objects - min(live, objects)
	if fresh > max(live/4, minSurplus) || surplus < max(live/4, minSurplus) {
		return false
	}
	debug.FreeOSMemory()
	return true
}
