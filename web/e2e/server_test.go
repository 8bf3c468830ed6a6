//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/deathsig"
	"github.com/yanlink/yanlink/deploy/freeport"
	"github.com/yanlink/yanlink/ws/wstest/secrets"
)

const patience = 20 * time.Second

// server is a real program as a child process, on one address and one folder for its whole life.
type server struct {
	program string
	address string
	mount   string // path under which the bundle stands
	dir     string // it runs in; empty for the test's own
	env     []string
	process *exec.Cmd
	log     logged
}

// logged collects what the program writes, over all its lives.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was written so far.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startServer builds the program, starts it with some settings, and stops it when the test ends.
func startServer(t *testing.T, settings ...string) *server {
	t.Helper()
	s := &server{program: build(t), address: freeAddress(t)}
	s.env = append(os.Environ(),
		"YANLINK_SERVER_LISTEN="+s.address,
		"YANLINK_SERVER_ADMIN=",
		"YANLINK_STORE_DIR="+filepath.Join(t.TempDir(), "ledger"),
	)
	s.env = append(s.env, settings...)
	s.begin(t)
	return s
}

// begin starts the program, and stops it when the test ends.
func (s *server) begin(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		s.kill(t)
		if t.Failed() {
			t.Logf("the program wrote:\n%s", s.log.String())
		}
		require.NoError(t, secrets.Check(strings.NewReader(s.log.String())))
	})
	s.start(t)
}

func build(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("E2E_PROGRAM"); program != "" {
		return program
	}
	return compile(t, ".")
}

// compile builds a package, or a file, with what this module has.
func compile(t *testing.T, target string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	command := exec.Command("go", "build", "-o", program, target)
	command.Dir = filepath.Join("..", "..")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := freeport.Address()
	require.NoError(t, err)
	return address
}

// start runs the program and returns when it says that it is ready.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.process = exec.Command(s.program)
	s.process.Dir = s.dir
	s.process.Env = s.env
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	deathsig.Set(s.process, syscall.SIGKILL)
	require.NoError(t, s.process.Start())
	require.Eventually(t, s.ready, patience, 50*time.Millisecond, "the program is not ready; it wrote:\n%s", &s.log)
}

func (s *server) ready() bool {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get(s.url(s.mount + "readyz"))
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// kill ends the program as a power cut would: it is told nothing.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if s.process == nil {
		return
	}
	require.NoError(t, s.process.Process.Kill())
	_ = s.process.Wait() // it says "signal: killed"
	s.process = nil
}

func (s *server) url(path string) string { return fmt.Sprintf("http://%s/%s", s.address, path) }
