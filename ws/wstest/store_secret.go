package wstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// Secret checks that each ledger has a secret of its own, which it keeps. ledger returns what opens one new ledger, as often as
// it is called; it is closed before each further call.
func Secret(t *testing.T, ledger func(t *testing.T) (open func() ws.Store)) {
	t.Helper()
	var known []ws.Secret
	for range 2 {
		open := ledger(t)
		var first ws.Secret
		for opening := range 3 {
			s := open()
			secret := s.Secret()
			require.NoError(t, s.Close())
			if opening == 0 {
				first = secret
			}
			require.Equal(t, first, secret, "it is another one after opening %d", opening)
		}
		known = append(known, first)
	}
	for _, half := range []int{0, len(ws.Secret{}) / 2} {
		one, other := [16]byte(known[0][half:]), [16]byte(known[1][half:])
		require.False(t, one == [16]byte{} || other == [16]byte{} || one == other, "it is not random from byte %d on", half)
	}
}
