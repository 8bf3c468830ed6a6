package measure

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Timer wakes its owner far more exactly than time.Sleep does on Linux, which rounds to the millisecond: the kernel's own
// timer, waited for like a socket. It is for one goroutine.
type Timer struct {
	file *os.File
	raw  int
}

// NewTimer makes a timer.
func NewTimer() (*Timer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	return &Timer{file: os.NewFile(uintptr(fd), "timer"), raw: fd}, nil
}

// Wait returns when d has passed; at once if d is not positive.
func (t *Timer) Wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(t.raw, 0, &spec, nil); err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	var expirations [8]byte
	_, err := t.file.Read(expirations[:])
	return err
}

// Stop ends the timer; it is not waited for any more.
func (t *Timer) Stop() { _ = t.file.Close() }
