package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-clients", "6", "-seed", "9"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 6, o.Clients)
	require.Equal(t, 20_000, o.Messages)
	require.Equal(t, 8, o.kills)
	require.Equal(t, uint64(9), o.Seed)
	for _, bad := range [][]string{{"-clients", "5"}, {"-clients", "0"}, {"-messages", "0"}, {"-kills", "-1"}, {"-nonsense"}} {
		_, err := parse(bad, io.Discard)
		require.Error(t, err, "%v", bad)
	}
}

func TestEmpty(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	require.NoError(t, empty(dir))
	require.NoError(t, empty(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "old"), nil, 0o600))
	require.ErrorContains(t, empty(dir), "not empty")
}
