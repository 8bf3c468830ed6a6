package ws_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain finds goroutines that outlive a Gateway's Stop.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), // idle connections of the tests' HTTP client
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}
