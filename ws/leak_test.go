package ws_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain finds goroutines that outlive a Gateway's Stop, or is the clients of a benchmark.
func TestMain(m *testing.M) {
	if os.Getenv(watchCrowd) != "" {
		if err := runCrowd(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), // idle connections of the tests' HTTP client
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}
