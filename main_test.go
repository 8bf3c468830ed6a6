package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/deploy/freeport"
	"github.com/yanlink/yanlink/ws/wstest/secrets"
)

// beProgram makes the test binary behave as the program itself.
const beProgram = "TEST_BE_THE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program prepares a run of the program in a folder of its own.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), beProgram+"=1", "YANLINK_SERVER_LISTEN=127.0.0.1:0", "YANLINK_SERVER_ADMIN=", "YANLINK_DRAIN_DELAY=0s")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// running is a program that has said where its page is.
type running struct {
	cmd *exec.Cmd
	url string
	out *bufio.Reader
}

var page = regexp.MustCompile(`page=(\S+)`)

func launch(t *testing.T, env ...string) *running {
	t.Helper()
	r := begin(t, env...)
	r.url = page.FindStringSubmatch(r.line(t, "page="))[1]
	return r
}

// begin starts the program and waits for nothing.
func begin(t *testing.T, env ...string) *running {
	t.Helper()
	cmd := program(t, env)
	pipe, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &running{cmd: cmd, out: bufio.NewReader(pipe)}
}

// line reads the log up to a line that contains what is wanted.
func (r *running) line(t *testing.T, want string) string {
	t.Helper()
	for {
		line, err := r.out.ReadString('\n')
		require.NoError(t, err, "the log ended before %q", want)
		require.Empty(t, secrets.Find([]byte(line)), "the log holds a token: %s", line)
		if strings.Contains(line, want) {
			return line
		}
	}
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	return body
}

func TestProgram_ServesAndDrains(t *testing.T) {
	p := launch(t)
	require.Contains(t, string(fetch(t, p.url)), "<!doctype html>")
	require.DirExists(t, filepath.Join(p.cmd.Dir, "data"))
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.line(t, "msg=stopped")
	require.NoError(t, p.cmd.Wait(), "an orderly end is exit 0")
}

// A small server is not collected before there is something to collect, unless whoever runs it wants it so.
func TestProgram_HeapFloor(t *testing.T) {
	for gogc, floored := range map[string]bool{"": true, "100": false} {
		admin, err := freeport.Address()
		require.NoError(t, err)
		launch(t, "GOMEMLIMIT=", "GOGC="+gogc, "YANLINK_SERVER_ADMIN="+admin)
		fetch(t, "http://"+admin+"/debug/pprof/heap?gc=1") // which collects what nobody holds
		next := regexp.MustCompile(`(?m)^go_memstats_next_gc_bytes (\S+)`).FindSubmatch(fetch(t, "http://"+admin+"/metrics"))
		require.NotEmpty(t, next)
		bytes, err := strconv.ParseFloat(string(next[1]), 64)
		require.NoError(t, err)
		require.Equal(t, floored, bytes >= 64<<20, "with GOGC=%s it is collected at %.0f bytes", gogc, bytes)
	}
}

func TestProgram_SecondSignal(t *testing.T) {
	p := launch(t, "YANLINK_DRAIN_DELAY=9m", "YANLINK_DRAIN_TIMEOUT=20m")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	p.line(t, "a second signal stops at once")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	p.line(t, "msg=stopped")
	require.NoError(t, p.cmd.Wait())
}

// A start that waits for its database ends by a signal, and by itself in the end.
func TestProgram_NoDatabase(t *testing.T) {
	silent := []string{"YANLINK_STORE_DRIVER=mysql", "YANLINK_STORE_DSN=yanlink@tcp(127.0.0.1:1)/yanlink"}
	var exit *exec.ExitError

	p := begin(t, silent...)
	p.line(t, "cannot be reached yet")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.line(t, "a signal ended the start")
	require.ErrorAs(t, p.cmd.Wait(), &exit)
	require.Equal(t, 1, exit.ExitCode())

	p = begin(t, append(silent, "YANLINK_STORE_STARTTIMEOUT=1s")...)
	p.line(t, "yanlink: store.dsn: the database cannot be reached; look at its address, and whether it runs")
	require.ErrorAs(t, p.cmd.Wait(), &exit)
	require.Equal(t, 1, exit.ExitCode())
}

// TestProgram_CannotStart: exit 1 and one line that says what and what to do.
func TestProgram_CannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	holder := launch(t)
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	require.NoError(t, os.WriteFile(wrong, []byte("sso:\n  timeout: 5\n"), 0o600))
	for name, c := range map[string]struct {
		env, args []string
		want      string
	}{
		"port taken":    {[]string{"YANLINK_SERVER_LISTEN=" + taken.Addr().String()}, nil, "is taken by another process; stop that one, or set another address"},
		"folder locked": {[]string{"YANLINK_STORE_DIR=" + filepath.Join(holder.cmd.Dir, "data")}, nil, "in use by another process"},
		"unreadable":    {nil, []string{"-config", "none.yaml"}, "none.yaml: it cannot be read"},
		"wrong":         {nil, []string{"-config", wrong}, "sso.timeout: 5 has no unit; write 5s or 5ms"},
		"no address":    {[]string{"YANLINK_DISCOVERY_DRIVER=nacos"}, nil, "discovery.nacos.addrs: it is empty"},
	} {
		var out bytes.Buffer
		cmd := program(t, append(c.env, "YANLINK_LOG_LEVEL=error"), c.args...)
		cmd.Stdout, cmd.Stderr = &out, &out
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Run(), &exit, name)
		require.Equal(t, 1, exit.ExitCode(), name)
		require.Contains(t, out.String(), c.want, name)
		require.Equal(t, 1, strings.Count(out.String(), "\n"), "%s: %s", name, out.String())
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, c := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"-version"}, 0, "yanlink "},
		{[]string{"--help"}, 0, "check-config FILE"},
		{[]string{"-nonsense"}, 2, "nonsense"},
		{[]string{"check-config"}, 2, "check-config FILE"},
		{[]string{"dance"}, 2, "check-config FILE"},
		{[]string{"check-config", write("good.yaml", string(configs.Example))}, 0, "is valid"},
		{[]string{"check-config", write("bad.yaml", "log: {level: loud}\nsso: {tmeout: 1s}\n")}, 1, "did you mean sso.timeout?\n  log.level: \"loud\" is unknown"},
		{[]string{"check-config", ""}, 2, "check-config FILE"},
		{[]string{"check-config", write("nacos.yaml", "discovery: {driver: nacos, nacos: {addrs: ['n:1']}}\nsso: {dev: false}\n")}, 1, "sso.url: nobody"},
		{[]string{"check-store", dir}, 1, "no ledger"},
		{[]string{"-config", write("dir.yaml", "store: {dir: "+dir+"}\n"), "check-store"}, 1, "no ledger"},
		{[]string{"migrate"}, 1, "migrate is for a database; set store.driver and store.dsn"},
		{[]string{"migrate", dir}, 2, "check-config FILE"},
		{[]string{"new-epoch"}, 1, "no ledger"},
		{[]string{"new-epoch", dir}, 2, "check-config FILE"},
		{[]string{"backup"}, 2, "backup DIR"},
		{[]string{"backup", ""}, 2, "backup DIR"},
		{[]string{"-config", filepath.Join(dir, "dir.yaml"), "backup", dir}, 1, "no ledger"},
		{[]string{"-config", write("sql.yaml", "store: {driver: mysql, dsn: 'a@tcp(b:1)/c'}\n"), "backup", dir}, 1, "a database is backed up with its own tools"},
		{[]string{"export"}, 2, "export DIR"},
		{[]string{"export", dir}, 1, "no ledger"},
		{[]string{"import"}, 1, "import is for a database; set store.driver and store.dsn"},
		{[]string{"import", dir}, 2, "export DIR"},
		{[]string{"topics"}, 2, "topics create"},
		{[]string{"topics", "--help"}, 0, "topics create"},
		{[]string{"topics", "prune", "--help"}, 0, "topics create"},
		{[]string{"topics", "dance"}, 2, "topics create"},
		{[]string{"topics", "create", "-yes"}, 2, "topics create"},
		{[]string{"topics", "create"}, 1, "bus.driver: memory has no topics"},
	} {
		var out bytes.Buffer
		require.Equal(t, c.code, run(c.args, &out, &out), c.args)
		require.Contains(t, out.String(), c.out, c.args)
	}
	var out bytes.Buffer
	require.Zero(t, run([]string{"--help"}, &out, io.Discard))
	require.Equal(t, usage, out.String(), "what was asked for goes to the standard output")
}
