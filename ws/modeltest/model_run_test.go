package modeltest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	runs    = flag.Int("runs", 300, "how many random runs the model test makes")
	seed    = flag.Uint64("seed", 1, "the seed of the first run; 0: by the clock")
	steps   = flag.Int("steps", 60, "steps of a run")
	pebbles = flag.Int("pebbles", 10, "every how-manyth run is on Pebble, with power cuts; 0: none")
)

// lanes is how many runs go on side by side.
const lanes = 2

func TestModel(t *testing.T) {
	runAll(t, *runs, func(*testing.T) newDisk { return quickDisk })
}

// newDisk makes the disk of the run of a seed, an empty one.
type newDisk func(seed uint64) disk

// runAll makes so many runs in a few lanes, each with disks of its own.
func runAll(t *testing.T, runs int, disks func(t *testing.T) newDisk) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	seen := &tally{counts: map[string]int{}}
	var begun atomic.Int64
	for lane := range lanes {
		t.Run(fmt.Sprintf("lane %d", lane), func(t *testing.T) {
			t.Parallel()
			newDisk := disks(t)
			for n := begun.Add(1); n <= int64(runs); n = begun.Add(1) {
				seen.add(tryRun(t, first+uint64(n)-1, newDisk))
			}
		})
	}
	t.Cleanup(func() {
		if !t.Failed() {
			seen.check(t, runs)
		}
	})
}

// tryRun makes the run of a seed and returns what came about in it, or shows the shortest list of steps that fails as it does.
func tryRun(t *testing.T, seed uint64, newDisk newDisk) map[string]int {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	s := randomSetting(rng)
	list := randomSteps(rng, *steps)
	result := play(t, seed, s, list, newDisk)
	if len(result.problems) == 0 {
		return result.counts
	}
	t.Logf("seed %d fails: %s", seed, result.problems[0])
	list, result = shrink(t, seed, s, list, newDisk, result)
	t.Fatalf("seed %d, setting %+v, %d steps:\n%s\n\nwhat happened:\n%s\n\nthe difference:\n%s", seed, s, len(list),
		text(list), strings.Join(result.log, "\n"), strings.Join(result.problems, "\n"))
	return nil
}

func text(list []step) string {
	var lines []string
	for _, s := range list {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n")
}

// play makes one run in a bubble of its own.
func play(t *testing.T, seed uint64, s setting, list []step, newDisk newDisk) (w *world) {
	t.Helper()
	watch := time.AfterFunc(time.Minute, func() {
		fmt.Fprintf(os.Stderr, "seed %d, setting %+v hangs:\n%s\n", seed, s, text(list))
		panic("a run of the model test hangs")
	})
	defer watch.Stop()
	synctest.Test(t, func(*testing.T) {
		var err error
		if w, err = newWorld(s, newDisk(seed)); err != nil {
			w.wrong("the node did not start: %v", err)
		} else {
			w.run(list)
		}
		w.close()
		synctest.Wait()
	})
	return w
}

// shrink cuts steps and operations out as long as the run still fails.
func shrink(t *testing.T, seed uint64, s setting, list []step, newDisk newDisk, failed *world) ([]step, *world) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	try := func(shorter []step) bool {
		if time.Now().After(deadline) {
			return false
		}
		w := play(t, seed, s, shorter, newDisk)
		if len(w.problems) == 0 {
			return false
		}
		list, failed = shorter, w
		return true
	}
	if n := failed.model.step; n < len(list) {
		try(list[:n])
	}
	for before := -1; before != size(list); {
		before = size(list)
		for length := len(list) / 2; length > 0; length /= 2 {
			for at := 0; at+length <= len(list); {
				if !try(slices.Concat(list[:at], list[at+length:])) {
					at += length
				}
			}
		}
		for i := range list {
			for j := 0; j < len(list[i].ops) && len(list[i].ops) > 1; {
				shorter := slices.Clone(list)
				shorter[i].ops = slices.Concat(list[i].ops[:j], list[i].ops[j+1:])
				if !try(shorter) {
					j++
				}
			}
		}
	}
	return list, failed
}

func size(list []step) (ops int) {
	for _, s := range list {
		ops += 1 + len(s.ops)
	}
	return ops
}
