package modeltest

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// enough is from how many runs on everything in wanted has to have come about.
const enough = 100

// wanted is what the runs have to have met, so that the comparison is not one of nothing with nothing.
var wanted = []string{
	"frame 2", "frame 31", "resend", "proof", "accepted", "duplicate", "acked", "acked up to", "recalled",
	"synced", "waiting", "gone", "reset", "mark refused",
	"conflict", "unknown_user", "not_addressed", "identity_mismatch", "bad_field", "not_found", "forbidden", "storage_unavailable",
	"crash", "close 1000", "close 1006", "close 1012", "close 4408", "close 4409", "close 4410",
}

// tally counts what came about in all runs. It is safe for concurrent use.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (a *tally) add(counts map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for what, n := range counts {
		a.counts[what] += n
	}
}

func (a *tally) check(t *testing.T, runs int) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(a.counts)) {
		t.Logf("%8d %s", a.counts[what], what)
	}
	if runs < enough {
		return
	}
	for _, what := range wanted {
		require.Positive(t, a.counts[what], "%s never came about", what)
	}
}

// countAnswer counts an answer by what it says.
func (w *world) countAnswer(f *frame) {
	p := f.params()
	what := ""
	switch f.kind() {
	case 0:
		if what = "accepted"; p.Duplicate {
			what = "duplicate"
		}
	case 16:
		if what = "acked"; p.UpTo > 0 {
			what = "acked up to"
		}
	case 29:
		what = "synced"
		w.counts["waiting"] += len(p.Waiting)
		w.counts["gone"] += len(p.Gone)
		w.counts["mark refused"] += len(p.Errors)
		if p.Reset {
			w.counts["reset"]++
		}
	case 30:
		what = "recalled"
	case 500:
		what = p.Code
	}
	w.counts[what]++
}
