package child

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestComplaints(t *testing.T) {
	quiet := []string{
		`time=1 level=INFO msg=ready`,
		`{"level":"WARN","msg":"the panicky word alone is nothing"}`,
		`http: TLS handshake error`,
	}
	for _, line := range []string{
		`time=1 level=ERROR msg="a request failed"`,
		`{"time":1,"level":"ERROR","msg":"x"}`,
		`panic: runtime error`,
		`fatal error: concurrent map writes`,
		`WARNING: DATA RACE`,
	} {
		path := filepath.Join(t.TempDir(), "server.log")
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(quiet, "\n")), 0o600))
		require.NoError(t, complaints(path))
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(append(quiet, line), "\n")), 0o600))
		require.ErrorContains(t, complaints(path), line)
	}
}
