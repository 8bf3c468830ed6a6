//go:build !linux

package ws

import "time"

// pause sleeps for d.
func pause(d time.Duration) { time.Sleep(d) }
