package wstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// NewEpoch tests that in a new epoch of a ledger nothing is numbered as it may have been before, and that what was there is
// still there. open opens the ledger, which nothing has been written to; renew begins an epoch while it is closed.
func NewEpoch(t *testing.T, open func() ws.Store, renew func() ws.LedgerInfo) {
	t.Helper()
	s := open()
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
	device := func() *ws.OpenDevice {
		op := &ws.OpenDevice{User: "rose", Device: "web", At: 1}
		do(op)
		return op
	}
	page := func(of ws.ConversationID) []*ws.Record {
		t.Helper()
		records, err := s.Page(t.Context(), of, 1, 0, 10, 1000)
		require.NoError(t, err)
		return records
	}
	before, first := device(), send("jack", "one")
	talk, epoch, secret := first.Record.Conversation, s.Info().Epoch, s.Secret()
	const epochs = 3
	for n := uint64(1); n <= epochs; n++ {
		require.NoError(t, s.Close())
		info := renew()
		require.Equal(t, epoch+n, info.Epoch)
		s = open()
		require.Equal(t, info, s.Info())
		require.Equal(t, secret, s.Secret(), "what was given out before is not known any more")
	}
	after := device()
	require.Greater(t, after.Epoch, before.Epoch+ws.EpochStep)
	second := send("jack", "two")
	require.Equal(t, talk, second.Record.Conversation)
	require.Equal(t, first.Record.Seq+epochs*ws.EpochStep+1, second.Record.Seq)
	require.Greater(t, send("jill", "three").Record.Conversation, talk+ws.EpochStep)
	require.True(t, send("jack", "one").Duplicate)
	require.Len(t, page(talk), 2)
	do(&ws.Purge{Conversation: talk, First: second.Record.Seq})
	require.Len(t, page(talk), 1)
	require.NoError(t, s.Close())
}
