//go:build services

package services_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
)

// crashEnv makes this program one that starts a server of that kind in the folder, says where, and waits to be killed.
const crashEnv = "SERVICES_CRASH"

func TestMain(m *testing.M) {
	if kind := os.Getenv(crashEnv); kind != "" {
		s, err := services.Start(context.Background(), services.Spec{Kind: services.Kind(kind), Dir: os.Args[1]})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.Addr)
		select {}
	}
	os.Exit(m.Run())
}

func TestStart_EndsWithItsParent(t *testing.T) {
	for _, kind := range []services.Kind{services.Redis, services.MariaDB, services.Postgres} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			parent := exec.Command(os.Args[0], dir)
			parent.Env = append(os.Environ(), crashEnv+"="+string(kind))
			out, err := parent.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, parent.Start())
			address, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			i := services.Instance{Kind: kind, Addr: strings.TrimSpace(address)}
			require.NoError(t, i.Ready(t.Context()))
			require.NotEmpty(t, processesOf(t, dir))

			require.NoError(t, parent.Process.Kill())
			_ = parent.Wait() // it says "signal: killed"
			require.Eventually(t, func() bool { return len(processesOf(t, dir)) == 0 }, patience, 20*time.Millisecond,
				"processes stay")
			require.Error(t, i.Ready(t.Context()))
		})
	}
}

// processesOf are the links in /proc from a process's open files and its folder into dir.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	require.NoError(t, err)
	folders, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	return slices.DeleteFunc(append(links, folders...), func(link string) bool {
		target, _ := os.Readlink(link) // what has ended meanwhile points nowhere
		return !strings.HasPrefix(target, dir)
	})
}
