package ws

import (
	"syscall"
	"time"
)

// pause sleeps for d, which is shorter than a millisecond. An idle Go program sleeps in epoll, which counts in whole
// milliseconds; the thread's own sleep is exact, and the committer is one goroutine.
func pause(d time.Duration) {
	left := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&left, nil) // woken early by a signal: then the commit starts a little early
}
