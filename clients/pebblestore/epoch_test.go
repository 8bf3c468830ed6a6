package pebblestore

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// In a new epoch nothing is numbered as it may have been before, and what was there is still there.
func TestNewEpoch(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, fs)
	do := func(op ws.Op) {
		t.Helper()
		require.NoError(t, s.Commit(t.Context(), []ws.Op{op}))
		require.NoError(t, op.Result().Err)
	}
	send := func(to, msgid string) *ws.Send {
		op := &ws.Send{To: to, CreateUsers: true, Record: ws.Record{
			Kind: ws.KindMessage, Sender: "rose", SenderDevice: "web", MsgID: msgid, Body: msgid, CreatedAt: 1,
		}}
		do(op)
		return op
	}
	open := func() *ws.OpenDevice {
		op := &ws.OpenDevice{User: "rose", Device: "web", At: 1}
		do(op)
		return op
	}
	device, first := open(), send("jack", "one")
	talk := first.Record.Conversation
	_, err := NewEpoch(t.Context(), "ledger", fs)
	require.ErrorIs(t, err, ErrLocked)
	for epoch := uint64(2); epoch < 5; epoch++ {
		require.NoError(t, s.Close())
		info, err := NewEpoch(t.Context(), "ledger", fs)
		require.NoError(t, err)
		require.Equal(t, epoch, info.Epoch)
		mustCheck(t, fs)
		s = mustOpen(t, fs)
		require.Equal(t, info, s.Info())
	}

	require.Greater(t, open().Epoch, device.Epoch+ws.EpochStep)
	second := send("jack", "two")
	require.Equal(t, talk, second.Record.Conversation)
	require.Equal(t, first.Record.Seq+3*ws.EpochStep+1, second.Record.Seq)
	require.Greater(t, send("jill", "three").Record.Conversation, talk+ws.EpochStep)
	require.True(t, send("jack", "one").Duplicate)
	page, err := s.Page(t.Context(), talk, 1, 0, 10, 1000)
	require.NoError(t, err)
	require.Len(t, page, 2)
	do(&ws.Purge{Conversation: talk, First: second.Record.Seq})
	page, err = s.Page(t.Context(), talk, 1, 0, 10, 1000)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.NoError(t, s.Close())
	mustCheck(t, fs)
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
