package services

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"
)

const sharedWait = 10 * time.Second

// Default is the default instance of the kind, running or not.
func Default(kind Kind) Instance {
	return Instance{Kind: kind, Addr: net.JoinHostPort(loopback, strconv.Itoa(known[kind].port))}
}

// Shared returns the default instance of the kind, which all tests share: leave in it what you found. The test fails if
// it is not ready.
func Shared(tb testing.TB, kind Kind) Instance {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), sharedWait)
	defer cancel()
	if err := Installed(kind); err != nil {
		tb.Fatalf("%v, and then make services", err)
	}
	i := Default(kind)
	if err := i.Ready(ctx); err != nil {
		tb.Fatalf("run make services: %s is not ready on %s: %v", kind, i.Addr, err)
	}
	return i
}

const stopWait = 30 * time.Second

// MustStart runs a server of the test's own, in a temporary folder unless the spec has one, and ends it after the test.
// If the test fails, the end of the server's log is in its output.
func MustStart(tb testing.TB, spec Spec) *Server {
	tb.Helper()
	if spec.Dir == "" {
		spec.Dir = tb.TempDir()
	}
	s, err := Start(tb.Context(), spec)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.dispose(); err != nil {
			tb.Error(err)
		}
		if tb.Failed() {
			tb.Logf("the log of %s ends:\n%s", s.Kind, tail(s.spec.log()))
		}
	})
	return s
}

// StartOrSkip is MustStart for a kind that is long to build. Where it is not installed the test is skipped, and says so.
func StartOrSkip(tb testing.TB, spec Spec) *Server {
	tb.Helper()
	if err := Installed(spec.Kind); err != nil {
		tb.Skipf("NOT RUN: %v", err)
	}
	return MustStart(tb, spec)
}

// dispose ends a server whose data nobody wants.
func (s *Server) dispose() error {
	if known[s.Kind].slow {
		return s.Kill()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	return s.Stop(ctx)
}
