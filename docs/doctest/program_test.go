package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/configs"
)

// vet compiles a file as a package of this module, and has go vet look at it.
func vet(t *testing.T, b *block, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "block.go")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "vet", file)
	cmd.Dir = root
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", b, said)
}

// here is the line of a surrounding that stands for the block.
const here = "// HERE\n"

// surrounded puts a part of a program where it belongs.
func surrounded(t *testing.T, b *block) string {
	t.Helper()
	around, err := os.ReadFile(filepath.Join("testdata", b.words["in"]+".go"))
	require.NoError(t, err, b)
	before, after, ok := strings.Cut(string(around), here)
	require.True(t, ok, "testdata/%s.go does not say where", b.words["in"])
	return before + b.text + after
}

// loadConfig reads a configuration as the server does: an unknown key is an error.
func loadConfig(t *testing.T, b *block) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "yanlink.yaml")
	require.NoError(t, os.WriteFile(file, []byte(b.text), 0o600))
	_, err := configs.Load(file)
	require.NoError(t, err, b)
}
