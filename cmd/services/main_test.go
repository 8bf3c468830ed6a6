package main

import (
	"bytes"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

func command(t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	var o, p bytes.Buffer
	err = run(t.Context(), args, &o, &p)
	return o.String(), p.String(), err
}

func TestRun_Help(t *testing.T) {
	out, help, err := command(t, "--help")
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Empty(t, out)
	for _, word := range []string{"up", "down", "status", "env", "install", "run", "redis", "broker", "nacos"} {
		require.Contains(t, help, word)
	}
}

func TestRun_WrongUsage(t *testing.T) {
	_, help, err := command(t)
	require.ErrorIs(t, err, errUsage)
	require.Contains(t, help, "usage:")
	_, _, err = command(t, "start")
	require.ErrorContains(t, err, `no command "start"`)
	_, _, err = command(t, "up", "oracle")
	require.ErrorContains(t, err, `no service "oracle"`)
	_, _, err = command(t, "run", "redis")
	require.ErrorContains(t, err, "services run -- PROGRAM")
}

func TestRun_Env(t *testing.T) {
	out, _, err := command(t, "env", "redis", "postgres")
	require.NoError(t, err)
	require.Equal(t, "export SERVICES_REDIS='127.0.0.1:16379'\n"+
		"export SERVICES_POSTGRES='postgres://yanlink:yanlink@127.0.0.1:15432/yanlink?sslmode=disable'\n", out)
}

func TestRun_Status(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where nothing was started
	out, _, err := command(t, "status", "redis")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^redis +127\.0\.0\.1:16379 +0 +(down|ready, not ours) `, out)
}
