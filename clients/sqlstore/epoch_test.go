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

func TestNewEpoch_NoLedger(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		_, err := NewEpoch(t.Context(), fresh(t, driver, server))
		require.ErrorIs(t, err, ErrNotMigrated)
	})
}
