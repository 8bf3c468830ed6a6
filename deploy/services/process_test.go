//go:build services

package services

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// PostgreSQL is many processes in as many sessions: a signal to its group reaches one.
func TestProcess_AllOfThem(t *testing.T) {
	s := MustStart(t, Spec{Kind: Postgres})
	children, err := s.process.children()
	require.NoError(t, err)
	require.NotEmpty(t, children)
	all := append(children, s.process)
	states := func() (found []string) {
		for _, p := range all {
			entry, err := readStat(p.pid)
			if p != s.process && (err != nil || entry.state == "Z") {
				continue // a worker that had done its work
			}
			require.NoError(t, err)
			found = append(found, entry.state)
		}
		return found
	}

	require.NotContains(t, states(), "T")
	require.NoError(t, s.Freeze())
	require.Greater(t, len(states()), 1)
	for _, state := range states() {
		require.Equal(t, "T", state)
	}
	require.NoError(t, s.Thaw())
	require.NotContains(t, states(), "T")

	require.NoError(t, s.Kill())
	for _, p := range all {
		require.False(t, p.alive(), "process %d lives", p.pid)
	}
}

// A start that was interrupted while it made the data folder has left a half of one.
func TestStart_AfterAHalfMadeFolder(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, "data.unfinished")
	require.NoError(t, os.Mkdir(half, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600))
	MustStart(t, Spec{Kind: Postgres, Dir: dir})
	require.NoDirExists(t, half)
}
