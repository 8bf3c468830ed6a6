package app

import (
	"runtime"
	runtimemetrics "runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// held is the memory of the heap that the system has given and not got back.
func held() uint64 {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	runtimemetrics.Read(samples)
	return samples[0].Value.Uint64() + samples[1].Value.Uint64()
}

func TestTrimmer(t *testing.T) {
	trim := newTrimmer(0)
	defer trim.stop()
	trim.look()
	before := burst(func() { require.False(t, trim.look(), "not while much is allocated") })
	runtime.GC() // as Go does by itself within two minutes: only then it knows what is not in use
	require.True(t, trim.look(), "but in the quiet after it")
	require.Less(t, held(), before-48<<20)
	require.False(t, trim.look(), "and once")
}

// burst calls during while 64 MiB are in use, and returns what is held then.
func burst(during func()) uint64 {
	blocks := make([][]byte, 64)
	for i := range blocks {
		blocks[i] = make([]byte, 1<<20)
	}
	defer runtime.KeepAlive(blocks)
	during()
	return held()
}

func TestTrimmer_Stop(t *testing.T) {
	trim := newTrimmer(time.Microsecond)
	trim.stop()
}
