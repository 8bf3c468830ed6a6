package pebblestore

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestNewEpoch(t *testing.T) {
	fs := vfs.NewMem()
	wstest.NewEpoch(t, func() ws.Store { return mustOpen(t, fs) }, func() ws.LedgerInfo {
		info, err := NewEpoch(t.Context(), "ledger", fs)
		require.NoError(t, err)
		mustCheck(t, fs)
		return info
	})
	mustCheck(t, fs)
}

func TestNewEpoch_Locked(t *testing.T) {
	fs := vfs.NewMem()
	mustOpen(t, fs)
	_, err := NewEpoch(t.Context(), "ledger", fs)
	require.ErrorIs(t, err, ErrLocked)
}

func TestNewEpoch_NoLedger(t *testing.T) {
	fs := vfs.NewMem()
	_, err := NewEpoch(t.Context(), "ledger", fs)
	require.ErrorIs(t, err, ErrForeign)
	requireAbsent(t, fs, "ledger")
}

// TestCheck_Holes: a hole of another width than a new epoch leaves, or one more than there were new epochs, is a loss.
func TestCheck_Holes(t *testing.T) {
	for gap, broken := range map[uint64]bool{0: false, 1: true, ws.EpochStep - 1: true, ws.EpochStep: false, ws.EpochStep + 1: true, 2 * ws.EpochStep: true} {
		r := records{next: 7}
		require.NotEqual(t, broken, r.follows(7+gap, 2), gap)
	}
	r := records{next: 7}
	require.True(t, r.follows(7+ws.EpochStep, 2))
	r.next = 8 + ws.EpochStep
	require.False(t, r.follows(8+2*ws.EpochStep, 2), "only one of two")
	require.False(t, r.follows(7, 2), "not backwards")
}
