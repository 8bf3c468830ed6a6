package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/configs"
)

func TestBundle_AckDelay(t *testing.T) {
	for _, test := range []struct {
		driver      string
		given, want time.Duration
	}{
		{"pebble", 0, 0}, // the engine's own, which follows commitInterval
		{"mysql", 0, ackDelayOfDatabases},
		{"postgres", 0, ackDelayOfDatabases},
		{"mysql", time.Second, time.Second},
		{"pebble", time.Second, time.Second},
	} {
		b := &Bundle{cfg: configs.Default()}
		b.cfg.Store.Driver, b.cfg.Ledger.AckDelay = test.driver, test.given
		require.Equal(t, test.want, b.ackDelay(), "%s %v", test.driver, test.given)
	}
}
