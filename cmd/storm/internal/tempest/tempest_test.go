package tempest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func blow(t *testing.T, spoil func([]ws.Op)) (outcome Outcome, well bool, printed string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	settings := Settings{Clients: 12, Messages: 1200, Over: 3 * time.Second, Seed: 7, Settle: 4 * time.Second}
	var out bytes.Buffer
	defer func() { t.Log(out.String()) }()
	outcome = New(settings, &inProcess{store: wstest.NewMemStore(), spoil: spoil, kills: 3}, &out).Run(ctx)
	well = outcome.Print(&out)
	return outcome, well, out.String()
}

func TestTempest(t *testing.T) {
	outcome, well, printed := blow(t, nil)
	require.True(t, well, printed)
	require.Equal(t, 1200, outcome.Report.Messages)
	require.Equal(t, 3, outcome.Report.Kills)
	require.Contains(t, printed, "storm: 1200 messages, 3 kills: 0 lost, 0 shown twice, 0 out of order, 0 proofs missing\n")
}

// A ledger that forgets receipts now and then, and says that it holds them, has to be found out.
func TestTempest_FindsForgottenReceipts(t *testing.T) {
	acks := 0
	outcome, well, printed := blow(t, func(ops []ws.Op) {
		for _, op := range ops {
			if ack, ok := op.(*ws.Ack); ok && ack.From > 0 {
				if acks++; acks%20 == 0 {
					ack.From, ack.To = 0, 0
				}
			}
		}
	})
	require.False(t, well)
	require.NotZero(t, outcome.Report.Count(history.ProofMissing), printed)
}
