package app

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBundle_Free(t *testing.T) {
	b := &Bundle{}
	b.onStop("free nothing", func() error { return nil })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, b.free(over), "what is free at once is no error")

	let := make(chan struct{})
	defer close(let)
	b.onStop("free what hangs", func() error { <-let; return nil })
	require.ErrorContains(t, b.free(over), "hangs")
}
