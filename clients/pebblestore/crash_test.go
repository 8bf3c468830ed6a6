package pebblestore

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

var cuts = flag.Int("cuts", defaultCuts, "power cuts in TestPowerCuts")

// cutsPerLedger keeps the ledgers small, so that each cut is checked in full.
const cutsPerLedger = 10

// TestPowerCuts cuts the power at random moments of a mixed load, while commits run. What is found afterwards is
// exactly what the first so many batches make, not one fewer than were answered, and every invariant holds.
func TestPowerCuts(t *testing.T) {
	for done, seed := 0, uint64(1); done < *cuts; done, seed = done+cutsPerLedger, seed+1 {
		cutLedger(t, seed, min(cutsPerLedger, *cuts-done))
	}
}

// cut is the disk after a power cut, and how many batches had been answered before it.
type cut struct {
	fs       *vfs.MemFS
	answered int
}

func cutLedger(t *testing.T, seed uint64, count int) {
	fs := vfs.NewCrashableMem()
	l := newLoad(seed)
	found := cutUnderLoad(t, fs, l, seed, count)
	oracle := mustOpenTiny(t, vfs.NewMem())
	applied := 0
	var secrets []ws.Secret
	for _, c := range found {
		s := mustOpenTiny(t, c.fs)
		secrets = append(secrets, s.Secret())
		last := lastBatch(t, s)
		require.GreaterOrEqual(t, last, c.answered, "seed %d: a batch that was answered is gone", seed)
		l.holds(t, s, last)
		for ; applied < last; applied++ {
			require.NoError(t, oracle.Commit(context.Background(), l.batches[applied]))
		}
		require.Equal(t, dump(t, oracle), dump(t, s), "seed %d, batch %d", seed, last)
		require.NoError(t, s.Close())
		mustCheck(t, c.fs)
	}
	require.Len(t, slices.Compact(secrets), 1, "seed %d", seed)
	require.NoError(t, oracle.Close())
}

// cutUnderLoad commits batches and takes crash clones meanwhile.
func cutUnderLoad(t *testing.T, fs *vfs.MemFS, l *load, seed uint64, count int) []cut {
	s := mustOpenTiny(t, fs)
	var answered atomic.Int64
	steps := make(chan int)
	var worker sync.WaitGroup
	worker.Go(func() {
		for n := range steps {
			for range n {
				l.step(t, s)
				answered.Add(1)
			}
		}
	})
	random := rand.New(rand.NewPCG(seed, 2))
	found := make([]cut, count)
	for i := range found {
		steps <- 1 + random.IntN(8)
		time.Sleep(time.Duration(random.IntN(1500)) * time.Microsecond)
		before := int(answered.Load())
		found[i] = cut{fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random}), before}
	}
	close(steps)
	worker.Wait()
	require.NoError(t, s.Close())
	return found
}

// mustOpenTiny opens a ledger that flushes and compacts all the time.
func mustOpenTiny(tb testing.TB, fs vfs.FS) *Store {
	tb.Helper()
	s, err := Open(context.Background(), Options{Dir: "ledger", FS: fs, MemTableBytes: 32 << 10, CacheBytes: 1 << 20, FilterBytes: 64 << 10})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// mustCheck checks a ledger offline, which has to find nothing.
func mustCheck(tb testing.TB, fs vfs.FS) ws.LedgerSummary {
	tb.Helper()
	sum, err := Check(context.Background(), "ledger", fs, func(line string) { tb.Error(line) })
	require.NoError(tb, err)
	require.Zero(tb, sum.Broken)
	return sum
}

// dump returns all that a store holds.
func dump(tb testing.TB, s *Store) map[string]string {
	all := map[string]string{}
	it, err := s.db.NewIter(nil)
	require.NoError(tb, err)
	for ok := it.First(); ok; ok = it.Next() {
		all[string(it.Key())] = string(it.Value())
	}
	require.NoError(tb, it.Close())
	delete(all, string(kindSecret)) // each ledger has its own
	return all
}
