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
	require.Equal(t, 20_200, o.Messages)
	require.Equal(t, 8, o.kills)
	require.Equal(t, uint64(9), o.Seed)
	require.Zero(t, o.nodes)

	o, err = parse([]string{"-kills", "3", "-store", "postgres"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 30_300, o.Messages, "a cluster's storm is larger")
	require.Equal(t, 3, o.nodes)
	require.Equal(t, 3, o.kills)
	for _, bad := range [][]string{
		{"-clients", "5"},
		{"-clients", "0"},
		{"-messages", "0"},
		{"-kills", "-1"},
		{"-nonsense"},
		{"-store", "sqlite"},
		{"-nodes", "2"},
		{"-outages", "2"},
		{"-store", "mysql", "-nodes", "0"},
	} {
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
