package ws

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeqRuns(t *testing.T) {
	for range 500 {
		var receipts []Receipt
		var added seqRuns
		want := map[uint64]bool{}
		for range rand.IntN(30) {
			from := rand.Uint64N(60)
			to := from + rand.Uint64N(4)
			receipts = append(receipts, Receipt{From: from, To: to})
			added.add(from, to)
			for seq := from; seq <= to; seq++ {
				want[seq] = true
			}
		}
		require.Equal(t, runsOf(receipts), added)
		for seq := range uint64(70) {
			require.Equal(t, want[seq], added.has(seq), "%d in %v", seq, added)
		}
		for i := 1; i < len(added); i++ {
			require.Greater(t, added[i].from, added[i-1].to+1, "%v", added)
		}
	}
}
