//go:build !linux

package measure

import "time"

// Timer wakes its owner.
type Timer struct{}

// NewTimer makes a timer.
func NewTimer() (*Timer, error) { return &Timer{}, nil }

// Wait returns when d has passed.
func (*Timer) Wait(d time.Duration) error {
	time.Sleep(d)
	return nil
}

// Stop ends the timer.
func (*Timer) Stop() {}
