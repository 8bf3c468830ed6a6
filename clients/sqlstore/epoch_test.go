//go:build services

package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// In a new epoch nothing is numbered as it may have been before, and what was there is still there.
func TestNewEpoch(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		s := mustOpen(t, opt)
		do := func(op ws.Op) {
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
		epoch := s.Info().Epoch
		require.NoError(t, s.Close())

		info, err := NewEpoch(t.Context(), opt)
		require.NoError(t, err)
		require.Equal(t, epoch+1, info.Epoch)
		mustHold(t, opt)

		s = mustOpen(t, opt)
		require.Equal(t, epoch+1, s.Info().Epoch)
		require.Greater(t, open().Epoch, device.Epoch+1)
		second := send("jack", "two")
		require.Equal(t, first.Record.Conversation, second.Record.Conversation)
		require.Greater(t, second.Record.Seq, first.Record.Seq+1)
		require.Greater(t, send("jill", "three").Record.Conversation, first.Record.Conversation+1)
		require.True(t, send("jack", "one").Duplicate)
		page, err := s.Page(t.Context(), first.Record.Conversation, 1, 0, 10, 1000)
		require.NoError(t, err)
		require.Len(t, page, 2)
		mustHold(t, opt)
	})
}

func TestNewEpoch_NoLedger(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		_, err := NewEpoch(t.Context(), fresh(t, driver, server))
		require.ErrorIs(t, err, ErrNotMigrated)
	})
}
