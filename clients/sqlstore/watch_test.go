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
		w := watch{}
		look := func(others ...occupant) bool {
			t.Helper()
			quiet, err := w.quiet(others)
			require.NoError(t, err)
			return quiet
		}
		require.True(t, look(), "there is nobody")
		dead := occupant{shareLeases + "1", "node-1 1", 1}
		require.False(t, look(dead), "what is long over by the server's clock may be an outage of the server")
		time.Sleep(shareTerm - time.Second)
		require.False(t, look(dead))
		late := occupant{soleLease, "node-2 2", 7}
		require.False(t, look(dead, late))
		time.Sleep(time.Second)
		require.True(t, look(dead))
		require.False(t, look(dead, late), "it has been there for a second")
		time.Sleep(soleTerm - time.Second)
		require.True(t, look(dead, late))

		another := late
		another.holder = "node-2 3"
		require.False(t, look(dead, another), "its node was started again")
		time.Sleep(soleTerm / 2)
		renewed := another
		renewed.until++
		_, err := w.quiet([]occupant{dead, renewed})
		require.ErrorIs(t, err, ErrHeld)
		require.ErrorContains(t, err, "node-2 renews")
		time.Sleep(soleTerm / 2)
		require.False(t, look(dead, renewed), "its term has begun anew")
		time.Sleep(soleTerm / 2)
		require.True(t, look(dead, renewed))

		dead.until++
		_, err = w.quiet([]occupant{dead, renewed})
		require.ErrorIs(t, err, ErrShared)
		require.ErrorContains(t, err, "node-1 renews")
	})
}
