package child_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/child"
	"github.com/yanlink/yanlink/deploy/freeport"
)

// TestMain lets the test program be the child too.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILD") {
	case "":
		os.Exit(m.Run())
	case "broken":
		fmt.Println("the disk is on fire")
		os.Exit(1)
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
	}
	server := &http.Server{Addr: os.Getenv("ADDR"), ReadHeaderTimeout: time.Second}
	server.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	fmt.Println(server.ListenAndServe())
}

func command(t *testing.T, kind string) child.Command {
	t.Helper()
	addr, err := freeport.Address()
	require.NoError(t, err)
	return child.Command{
		Name: kind, Path: os.Args[0], Addr: addr, Env: []string{"CHILD=" + kind, "ADDR=" + addr},
		Log: filepath.Join(t.TempDir(), "log"),
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestProcess_StartsAndStops(t *testing.T) {
	p, err := child.Start(context.Background(), command(t, "good"))
	require.NoError(t, err)
	require.True(t, alive(p.PID()))
	response, err := http.Get("http://" + p.Addr + "/readyz")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.NoError(t, p.Stop())
	require.False(t, alive(p.PID()))
	require.NoError(t, p.Stop())
}

func TestProcess_KillsWhatDoesNotListen(t *testing.T) {
	c := command(t, "deaf")
	c.Grace = 50 * time.Millisecond
	p, err := child.Start(context.Background(), c)
	require.NoError(t, err)
	require.NoError(t, p.Stop())
	require.False(t, alive(p.PID()))
}

func TestStart_SaysWhyTheChildEnded(t *testing.T) {
	_, err := child.Start(context.Background(), command(t, "broken"))
	require.ErrorContains(t, err, "ended before it was ready")
	require.ErrorContains(t, err, "the disk is on fire")
}

func TestStart_NoSuchProgram(t *testing.T) {
	c := command(t, "good")
	c.Path = filepath.Join(t.TempDir(), "nothing")
	_, err := child.Start(context.Background(), c)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestStart_LeavesNothingBehindWhenGivenUp(t *testing.T) {
	c := command(t, "good")
	c.Addr = "127.0.0.1:1" // nobody answers there
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := child.Start(ctx, c)
	require.ErrorContains(t, err, "was not ready")
	// What it would have listened on is free again.
	_, err = http.Get("http://" + c.Env[1][len("ADDR="):])
	require.Error(t, err)
}
