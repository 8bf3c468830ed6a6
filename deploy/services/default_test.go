//go:build services

package services

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/freeport"
)

// elsewhere gives the test default instances of its own: another cache and another port for Redis.
func elsewhere(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	before := known[Redis]
	moved := before
	var err error
	moved.port, err = freeport.Take()
	require.NoError(t, err)
	known[Redis] = moved
	t.Cleanup(func() {
		if err := Down(context.Background(), io.Discard, Redis); err != nil {
			t.Error(err)
		}
		known[Redis] = before
	})
}

func redisState(t *testing.T) State {
	t.Helper()
	states, err := Status(t.Context(), Redis)
	require.NoError(t, err)
	require.Len(t, states, 1)
	return states[0]
}

func TestUp_OnceAndDown(t *testing.T) {
	elsewhere(t)
	require.Zero(t, redisState(t).PID)
	require.Error(t, redisState(t).Problem)

	require.NoError(t, Up(t.Context(), io.Discard, Redis))
	up := redisState(t)
	require.NotZero(t, up.PID)
	require.NoError(t, up.Problem)
	session, err := getsid(up.PID)
	require.NoError(t, err)
	require.Equal(t, up.PID, session, "it has no session of its own")
	require.NoError(t, Up(t.Context(), io.Discard, Redis))
	require.Equal(t, up, redisState(t), "what runs is left alone")

	require.NoError(t, Down(t.Context(), io.Discard, Redis))
	require.Zero(t, redisState(t).PID)
	require.Error(t, redisState(t).Problem)
	require.NoError(t, Down(t.Context(), io.Discard, Redis))
}

func getsid(pid int) (int, error) {
	id, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(id), nil
}

func TestUp_SaysWhatHangs(t *testing.T) {
	elsewhere(t)
	require.NoError(t, Up(t.Context(), io.Discard, Redis))
	spec, err := defaultSpec(Redis)
	require.NoError(t, err)
	p, err := loadProcess(spec.pidFile())
	require.NoError(t, err)
	require.NoError(t, p.freeze())
	require.ErrorContains(t, Up(t.Context(), io.Discard, Redis), "is not ready")
}

// A pid file may be left from before, and its number may be somebody else's by now.
func TestDown_LeavesStrangers(t *testing.T) {
	elsewhere(t)
	stranger := exec.Command("sleep", "60")
	require.NoError(t, stranger.Start())
	defer func() { _, _ = stranger.Process.Kill(), stranger.Wait() }()
	spec, err := defaultSpec(Redis)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(spec.Dir, 0o700))
	require.NoError(t, process{pid: stranger.Process.Pid, started: "1"}.save(spec.pidFile()))

	require.Zero(t, redisState(t).PID)
	require.NoError(t, Down(t.Context(), io.Discard, Redis))
	p, err := identify(stranger.Process.Pid)
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond) // for a signal to arrive
	require.True(t, p.alive())
}

// Who says that the services are to go does not take them from those who use them.
func TestDown_LeavesWhatIsUsed(t *testing.T) {
	elsewhere(t)
	require.NoError(t, Up(t.Context(), io.Discard, Redis))
	require.NoError(t, With(t.Context(), io.Discard, []Kind{Redis}, func() error {
		require.ErrorIs(t, Down(t.Context(), io.Discard, Redis), errUsed)
		return redisState(t).Problem
	}))
	require.Zero(t, redisState(t).PID, "which was the last one")
}

func TestWith_StopsWhatNobodyElseNeeds(t *testing.T) {
	elsewhere(t)
	with := func(do func() error) error { return With(t.Context(), io.Discard, []Kind{Redis}, do) }
	running := func() error { return redisState(t).Problem }

	require.NoError(t, with(func() error {
		require.NoError(t, with(running))
		return running() // the inner one is over, but we are not
	}))
	require.Error(t, running())

	require.ErrorIs(t, with(func() error { return io.ErrNoProgress }), io.ErrNoProgress)
	require.Error(t, running(), "it stays after a failure")

	require.NoError(t, Up(t.Context(), io.Discard, Redis))
	require.NoError(t, with(running))
	require.NoError(t, running(), "what Up was asked for stays")
}

// failing is a test that may fail.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestShared_FailsWithoutServices(t *testing.T) {
	elsewhere(t)
	f := &failing{TB: t}
	var done sync.WaitGroup
	done.Go(func() { Shared(f, Redis) })
	done.Wait()
	require.Contains(t, f.said, "run make services")

	require.NoError(t, Up(t.Context(), io.Discard, Redis))
	require.Equal(t, Default(Redis), Shared(t, Redis))
}
