package measure

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Ticker wakes its owner at least every period, far more exactly than time.Sleep does on Linux, which rounds to the
// millisecond: the kernel's own timer, waited for like a socket.
type Ticker struct{ file *os.File }

// NewTicker starts a ticker.
func NewTicker(period time.Duration) (*Ticker, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	every := unix.NsecToTimespec(int64(period))
	spec := unix.ItimerSpec{Interval: every, Value: every}
	if err := unix.TimerfdSettime(fd, 0, &spec, nil); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set a timer: %w", err)
	}
	return &Ticker{file: os.NewFile(uintptr(fd), "timer")}, nil
}

// Wait returns when at least one period has ended since the last call.
func (t *Ticker) Wait() error {
	var expirations [8]byte
	_, err := t.file.Read(expirations[:])
	return err
}

// Stop ends the ticker; a Wait under way returns an error.
func (t *Ticker) Stop() { _ = t.file.Close() }
