package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/configs"
)

func TestBundle_Paced(t *testing.T) {
	const database = 10 * time.Millisecond
	for _, test := range []struct {
		driver    string
		set, want time.Duration
	}{
		{"pebble", 0, 0}, // the engine's own
		{"mysql", 0, database},
		{"postgres", 0, database},
		{"mysql", time.Second, time.Second},
		{"pebble", time.Second, time.Second},
	} {
		b := &Bundle{cfg: configs.Default()}
		b.cfg.Store.Driver = test.driver
		require.Equal(t, test.want, b.paced(test.set, database), "%s %v", test.driver, test.set)
	}
	require.Less(t, commitIntervalOfDatabases, ackDelayOfDatabases, "acknowledgements wait for a message")
}
