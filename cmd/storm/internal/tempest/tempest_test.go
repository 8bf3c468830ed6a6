package tempest

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
	"github.com/yanlink/yanlink/ws"
)

var seed = flag.Uint64("seed", 7, "of everything random")

func blow(t *testing.T, world World) (outcome Outcome, well bool, printed string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	settings := Settings{Clients: 12, Messages: 1200, Over: 3 * time.Second, Seed: *seed, Settle: 4 * time.Second}
	var out bytes.Buffer
	defer func() { t.Log(out.String()) }()
	outcome = New(settings, world, &out).Run(ctx)
	well = outcome.Print(&out)
	return outcome, well, out.String()
}

func TestTempest(t *testing.T) {
	outcome, well, printed := blow(t, alone(nil, 3))
	require.True(t, well, printed)
	require.InDelta(t, 1200, outcome.Report.Messages, 50, "all but those that were cancelled")
	require.Equal(t, 3, outcome.Report.Kills)
	require.NotZero(t, outcome.Report.Recalls)
	require.NotZero(t, outcome.Report.Delayed)
	require.Greater(t, outcome.Report.Positions, 2*1200, "both sides read their histories")
	require.Contains(t, printed, " 3 kills: 0 lost, 0 shown twice, 0 out of order, 0 proofs missing, 0 shown after recall, 0 wrong in history\n")
}

// Three nodes and everything between them, in memory: what the real storm does to processes.
func TestTempest_Cluster(t *testing.T) {
	world := together(func(w *within, r *rand.Rand) []fault.Series {
		lasts := 300 * time.Millisecond
		return []fault.Series{w.kills(r, 4), {
			fault.One(w.busDead(), lasts), fault.One(w.registryDead(), lasts), fault.One(w.registryFlushed(), 0),
			fault.One(w.ledgerDead(), lasts), fault.Pair(w.busDead(), w.registryDead(), lasts), fault.Pair(w.ledgerDead(), w.busDead(), lasts),
		}}
	})
	world.broker.Fault(memory.Faults{Lose: 0.1, Repeat: 0.1, Late: 0.2, Delay: 200 * time.Millisecond, Seed: *seed})
	outcome, well, printed := blow(t, world)
	require.True(t, well, printed)
	require.InDelta(t, 1200, outcome.Report.Messages, 50, "all but those that were cancelled")
	require.Equal(t, 4, outcome.Report.Kills)
	require.Equal(t, 8, outcome.Report.Outages)
}

// A ledger that forgets receipts now and then, and says that it holds them, has to be found out.
func TestTempest_FindsForgottenReceipts(t *testing.T) {
	acks := 0
	outcome, well, printed := blow(t, alone(func(ops []ws.Op) {
		for _, op := range ops {
			if ack, ok := op.(*ws.Ack); ok && ack.From > 0 {
				if acks++; acks%20 == 0 {
					ack.From, ack.To = 0, 0
				}
			}
		}
	}, 3))
	require.False(t, well)
	require.NotZero(t, outcome.Report.Count(history.ProofMissing), printed)
}
