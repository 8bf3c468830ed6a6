package child

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLeaks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.log")
	for line, holds := range map[string]bool{
		`level=INFO msg=request user=u-1`: false, `level=INFO got="storm.u-1"`: true, `level=INFO got="m-1 «··»"`: true, `level=INFO url="/ws?token=x"`: true,
	} {
		require.NoError(t, os.WriteFile(path, []byte(line), 0o600))
		err := leaks(path, "storm.", BodyMark)
		require.Equal(t, holds, err != nil, line)
	}
}

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
