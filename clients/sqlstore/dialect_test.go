package sqlstore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a statement carries is counted however the dialect packs it, so that no trip becomes larger than a server takes.
func TestSizeOfAll(t *testing.T) {
	for _, name := range []string{"mysql", "postgres"} {
		d, err := dialectOf(name, true)
		require.NoError(t, err)
		var rows tuples
		rows.add("openid", strings.Repeat("n", 1<<20), int64(1), int64(1), int64(1), int64(1), true)
		_, args := d.put(users, rows, change)
		require.Greater(t, sizeOfAll(args), 1<<20, name)
		require.Less(t, sizeOfAll(args), 1<<20+1<<10, name)
	}
}
