package ws

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSessionIDs(t *testing.T) {
	ids := &sessionIDs{advertise: "10.0.0.1:8084", zone: time.UTC}
	given := make(map[string]bool)
	for _, second := range []Millis{10, 11, 10, 11, 10, 3, 11, 12} { // some ask late, and the clock is set back
		id := ids.next("rose", second*1000)
		require.False(t, given[id], "%s was given before", id)
		given[id] = true
	}
	require.Contains(t, given, "10.0.0.1:8084_rose_19700101000010")
	require.Contains(t, given, "10.0.0.1:8084_rose_19700101000011-2")
}
