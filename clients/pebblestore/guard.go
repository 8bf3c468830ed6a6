package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// fatal is what a panic of ours carries through Pebble.
type fatal struct{ err error }

// errPanicked marks a panic of Pebble's own, which may have left its locks held.
var errPanicked = errors.New("the database gave up")

// guard calls into Pebble. Pebble panics, or asks its logger to end the process, when a write fails in a way it cannot
// go on from; here that becomes an error.
//
//go:noinline
func guard(call func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fatal:
			err = p.err
		case error:
			err = fmt.Errorf("%w: %w", errPanicked, p)
		default:
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return call()
}

// calledBy reports whether a function whose name ends so is among the callers.
func calledBy(name string) bool {
	stack := make([]uintptr, 128)
	frames := runtime.CallersFrames(stack[:runtime.Callers(2, stack)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, name) {
			return true
		}
		if !more {
			return false
		}
	}
}

// pebbleLog is the logger of one opening of the database.
type pebbleLog struct {
	log  *slog.Logger
	give func(err error, maimed bool) // told when the database cannot go on
	last atomic.Int64                 // when an error was logged last, in Unix milliseconds
}

// Infof drops what Pebble says in passing.
func (l *pebbleLog) Infof(string, ...any) {}

// Errorf logs at most one line a second: a failing disk makes Pebble say the same thing over and over.
func (l *pebbleLog) Errorf(format string, args ...any) {
	now, last := time.Now().UnixMilli(), l.last.Load()
	if now-last >= 1000 && l.last.CompareAndSwap(last, now) {
		l.log.Error("the ledger's database has trouble", "error", fmt.Sprintf(format, args...))
	}
}

// Fatalf must not return. In a call of ours it panics, for guard; a goroutine of Pebble's own ends here, with its
// deferred calls, and what it should have done is never done: such a database can not even be closed.
func (l *pebbleLog) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	ours := calledBy("/pebblestore.guard")
	l.give(err, !ours || !strings.HasPrefix(format, "pebble: fatal commit error"))
	if ours {
		panic(fatal{err})
	}
	runtime.Goexit()
}
