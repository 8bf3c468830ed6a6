//go:build services

package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

func TestStatements(t *testing.T) {
	for kind := range counters {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			server := services.MustStart(t, services.Spec{Kind: kind})
			before, err := statements(t.Context(), server.Instance)
			require.NoError(t, err)
			between, err := statements(t.Context(), server.Instance)
			require.NoError(t, err)
			after, err := statements(t.Context(), server.Instance)
			require.NoError(t, err)
			require.Greater(t, between, before, "the question is one of them")
			require.InDelta(t, between-before, after-between, 5, "and all that was asked")
		})
	}
}
