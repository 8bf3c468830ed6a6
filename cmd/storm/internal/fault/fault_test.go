package fault

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	const messages = 20_000
	for seed := range uint64(200) {
		moments := Spread(rand.New(rand.NewPCG(seed, 2)), 8, messages)
		require.Len(t, moments, 8)
		require.Positive(t, moments[0])
		require.IsNonDecreasing(t, moments)
		require.Less(t, moments[7], messages*19/20, "the last one has to be in the storm, too")
	}
}
