//go:build services

package failures

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

// leaseTerm is how long the ledger of a node that has it to itself waits for it. What fails a test is ten times that.
const leaseTerm = 5 * time.Second

// A node alone on a database: a second one is refused while the first lives, and has the ledger when that one is gone. A
// node that was frozen meanwhile writes nothing when it wakes up, until it has the ledger again.
func TestAlone(t *testing.T) {
	t.Parallel()
	onStores(t, true, func(t *testing.T, kind services.Kind) {
		w := foundBeside(t).on(kind)
		env, change := onlyLedger(w.SQL.DSN(w.SQL.NewDatabase(t)))
		w.env = env
		first, second := w.prepare(1, change), w.prepare(2, change)
		t.Cleanup(func() { _, _ = first.Kill(), second.Kill() }) // before their database is dropped
		require.NoError(t, first.Start(t.Context()))
		rose, jack := w.connect(first, "alone-rose", "web"), w.connect(first, "alone-jack", "web")
		rose.must(jack.name, "one")

		began := time.Now()
		require.Error(t, second.Start(t.Context()))
		t.Logf("a second node was refused after %v", time.Since(began).Round(10*time.Millisecond))
		require.Contains(t, tail(second.Log()), "another node has the ledger to itself: node")
		require.ErrorContains(t, first.Do(t.Context(), "new-epoch"), "another node has the ledger to itself")
		jack.shows("one")

		require.NoError(t, first.Kill())
		began = time.Now()
		require.NoError(t, first.Start(t.Context()))
		again := time.Since(began)
		t.Logf("after kill -9 the node was there again after %v", again.Round(10*time.Millisecond))
		require.Less(t, again, 10*leaseTerm)
		rose, jack = w.connect(first, rose.name, "web"), w.connect(first, jack.name, "web")
		two := rose.must(jack.name, "two")
		w.eventually("its acknowledgement is recorded", func() bool { return rose.wasProved(two.MessageID) })

		require.NoError(t, first.Freeze())
		began = time.Now()
		require.NoError(t, second.Start(t.Context()))
		t.Logf("another node had the ledger of a frozen one after %v", time.Since(began).Round(10*time.Millisecond))
		newRose, newJack := w.connect(second, rose.name, "web"), w.connect(second, jack.name, "web")
		newRose.must(jack.name, "three")
		newJack.shows("three")

		require.NoError(t, first.Thaw())
		for range 10 {
			refused := rose.send(jack.name, "four")
			require.Equal(t, "storage_unavailable", refused.Code)
			time.Sleep(leaseTerm / 20)
		}
		require.Contains(t, tail(first.Log()), "another node has taken the ledger")
		require.False(t, newRose.must(jack.name, "four").Duplicate, "the node that lost the ledger has not written it")
		newJack.shows("three", "four")

		require.NoError(t, second.Stop())
		began = time.Now()
		require.True(t, rose.must(jack.name, "four").Duplicate, "the first node has the ledger again, and knows what the second wrote")
		t.Logf("the first node wrote again %v after the end of the other one", time.Since(began).Round(10*time.Millisecond))
		rose.must(jack.name, "five")
		w.eventually("jack has everything on the first node", func() bool { return len(jack.list()) == 4 })
		require.Equal(t, []string{"two", "three", "four", "five"}, jack.list())
		require.NoError(t, first.Stop())
		require.NoError(t, first.Do(t.Context(), "check-store"))
	})
}
