package sqlstore

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A lease is over when it has stayed as it is for its term, whatever the server's clock says, and whoever renews it lives.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(time.Second)
		look := func(others ...occupant) bool {
			t.Helper()
			quiet, err := w.quiet(w.look(), others)
			require.NoError(t, err)
			return quiet
		}
		// wait looks at the same again and again.
		wait := func(d time.Duration, others ...occupant) {
			t.Helper()
			for range d / (time.Second / 2) {
				require.False(t, look(others...))
				time.Sleep(time.Second / 2)
			}
		}
		require.True(t, look(), "there is nobody")
		dead := occupant{shareLeases + "1", "node-1 1", 1}
		require.False(t, look(dead), "what is long over by the server's clock may be an outage of the server")
		wait(shareTerm-time.Second, dead)
		late := occupant{soleLease, "node-2 2", 7}
		wait(time.Second, dead, late)
		require.True(t, look(dead))
		wait(soleTerm-time.Second, dead, late)
		require.True(t, look(dead, late))

		another := late
		another.holder = "node-2 3"
		wait(soleTerm/2, dead, another) // its node was started again
		renewed := another
		renewed.until++
		_, err := w.quiet(w.look(), []occupant{dead, renewed})
		require.ErrorIs(t, err, ErrHeld)
		require.ErrorContains(t, err, "node-2 renews")
		wait(soleTerm, dead, renewed)
		require.True(t, look(dead, renewed))

		dead.until++
		_, err = w.quiet(w.look(), []occupant{dead, renewed})
		require.ErrorIs(t, err, ErrShared)
		require.ErrorContains(t, err, "node-1 renews")
	})
}

// Time in which nobody looked, or the server did not answer, does not count: the node may have been cut off from it as well.
func TestWatch_Gaps(t *testing.T) {
	held := occupant{soleLease, "node 1", 1}
	for name, gap := range map[string]func(w *watch){
		"no look":       func(*watch) { time.Sleep(2 * soleTerm) },
		"not answered":  func(w *watch) { w.look() },
		"answered late": func(w *watch) { asked := w.look(); time.Sleep(2 * soleTerm); _, _ = w.quiet(asked, []occupant{held}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatch(time.Second)
				quiet := func() bool {
					quiet, err := w.quiet(w.look(), []occupant{held})
					require.NoError(t, err)
					return quiet
				}
				require.False(t, quiet())
				for range soleTerm/time.Second - 1 {
					time.Sleep(time.Second)
					require.False(t, quiet())
				}
				gap(w)
				time.Sleep(time.Second / 2)
				require.False(t, quiet())
			})
		})
	}
}
