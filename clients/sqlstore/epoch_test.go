//go:build services

package sqlstore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestNewEpoch(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		wstest.NewEpoch(t, func() ws.Store { return mustOpen(t, opt) }, func() ws.LedgerInfo {
			info, err := NewEpoch(t.Context(), opt)
			require.NoError(t, err)
			mustHold(t, opt)
			return info
		})
		mustHold(t, opt)
	})
}

// A conversation that had a number and no message in the copy may have had messages in the lost time.
func TestNewEpoch_Unused(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		s := mustOpen(t, opt)
		mustCommit(t, s, put("alice"), put("bob"))
		pair := nameRef{ws.Direct, ws.DirectKey("alice", "bob")}
		w, err := s.takeWriter(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.reserve(t.Context(), &plan{reserve: map[nameRef]bool{pair: true}, names: map[nameRef]ws.ConversationID{}}, w))
		s.writers <- w.next()
		require.NoError(t, s.Close())
		_, err = NewEpoch(t.Context(), opt)
		require.NoError(t, err)
		s = mustOpen(t, opt)
		send := &ws.Send{To: "bob", Record: ws.Record{Sender: "alice", Body: "hello", CreatedAt: 1}}
		mustCommit(t, s, send)
		require.Greater(t, max(uint64(send.Record.Conversation), send.Record.Seq), uint64(ws.EpochStep))
		require.NoError(t, s.Close())
		mustHold(t, opt)
	})
}

func TestNewEpoch_NoLedger(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		_, err := NewEpoch(t.Context(), fresh(t, driver, server))
		require.ErrorIs(t, err, ErrNotMigrated)
	})
}
