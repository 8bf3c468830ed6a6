// Package child runs the server as a process of its own: the only way to find out what kill -9 leaves behind.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/yanlink/yanlink/deploy/deathsig"
	"github.com/yanlink/yanlink/deploy/freeport"
)

const (
	readyEvery = 20 * time.Millisecond
	readyAfter = 60 * time.Second
	stopAfter  = 60 * time.Second
	saidShown  = 2000 // bytes of what a command says
)

var errNotRunning = errors.New("the server does not run")

// Server is a Yanlink process that can be killed and started again on the same folder and port. Alive may be called at
// any time, the other methods from one goroutine at a time.
type Server struct {
	bin, dir string
	address  string
	env      []string
	log      *os.File

	mu      sync.Mutex
	process *process // nil: it was not started, or ended by Kill or Stop
}

// process is one life of the server.
type process struct {
	*exec.Cmd
	gone  chan struct{} // closed when it has ended and ended is set
	ended error         // what Wait returned
}

// New prepares a server with its data and its log below dir, on a free port. It starts nothing.
func New(bin, dir string) (*Server, error) {
	address, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	return NewAt(address, bin, dir)
}

// NewAt is New with the <ip>:<port> to listen on. env, each entry KEY=value, is added to what every storm needs, and wins.
func NewAt(address, bin, dir string, env ...string) (*Server, error) {
	bin, binErr := filepath.Abs(bin) // the process runs in dir, where a relative path means something else
	dir, dirErr := filepath.Abs(dir)
	if err := errors.Join(binErr, dirErr, os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return &Server{bin: bin, dir: dir, address: address, env: env, log: log}, nil
}

// Address returns the <ip>:<port> on which the server listens.
func (s *Server) Address() string { return s.address }

// URL returns where the server listens.
func (s *Server) URL() string { return "http://" + s.address }

// Data returns the folder of the ledger.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// Log returns the path of the server's log.
func (s *Server) Log() string { return s.log.Name() }

// Start starts the process and returns when it says that it is ready.
func (s *Server) Start(ctx context.Context) error {
	p := &process{Cmd: exec.Command(s.bin), gone: make(chan struct{})}
	p.Dir, p.Env = s.dir, s.environ()
	p.Stdout, p.Stderr = s.log, s.log
	deathsig.Set(p.Cmd, syscall.SIGKILL)
	if err := p.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	go func() {
		defer close(p.gone)
		p.ended = p.Wait()
	}()
	s.mu.Lock()
	s.process = p
	s.mu.Unlock()
	return s.ready(ctx, p)
}

func (s *Server) environ() []string {
	return append(append(os.Environ(),
		"YANLINK_SERVER_LISTEN="+s.address,
		"YANLINK_SERVER_ADMIN=",
		"YANLINK_STORE_DIR="+s.Data(),
		"YANLINK_LIMITS_FRAMESPERSECOND=0",
		"YANLINK_LIMITS_CONNECTIONSPERIP=0",
		"YANLINK_LIMITS_CONNECTSPERSECONDPERIP=0",
		"YANLINK_DRAIN_DELAY=0s",
		"YANLINK_DRAIN_SPREAD=200ms",
	), s.env...)
}

func (s *Server) ready(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, readyAfter)
	defer cancel()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.gone:
			return fmt.Errorf("%w before it was ready", s.fell(p))
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w; see %s", ctx.Err(), s.Log())
		case <-tick.C:
			if s.answers(ctx) {
				return nil
			}
		}
	}
}

func (s *Server) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Alive returns an error if the process ended by itself.
func (s *Server) Alive() error {
	s.mu.Lock()
	p := s.process
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	select {
	case <-p.gone:
		return s.fell(p)
	default:
		return nil
	}
}

// fell says how the process ended, which nobody had asked it to.
func (s *Server) fell(p *process) error {
	return fmt.Errorf("the server ended by itself (%s; see %s)", p.ProcessState, s.Log())
}

// take returns the process and forgets it: from now on its end is wanted.
func (s *Server) take() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	s.process = nil
	return p
}

// Kill ends the process with SIGKILL and waits for its end. An error means that it was dead already.
func (s *Server) Kill() error {
	p := s.take()
	if p == nil {
		return errNotRunning
	}
	err := p.Process.Kill()
	<-p.gone
	if err != nil {
		return fmt.Errorf("the server had ended by itself: %w; see %s", err, s.Log())
	}
	return nil
}

// Freeze stops the process where it is.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return errNotRunning
	}
	return s.process.Process.Signal(signal)
}

// Stop ends the process with SIGTERM and waits for its end, which has to be an orderly one.
func (s *Server) Stop() error {
	p := s.take()
	if p == nil {
		return nil
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	select {
	case <-p.gone:
		if p.ended != nil {
			return fmt.Errorf("the server did not stop in order: %w; see %s", p.ended, s.Log())
		}
		return nil
	case <-time.After(stopAfter):
		_ = p.Process.Kill()
		<-p.gone
		return fmt.Errorf("the server did not stop within %v; see %s", stopAfter, s.Log())
	}
}

// Check runs check-store on the data, which nobody may have open, and reads the log for what a server must never write.
func (s *Server) Check(ctx context.Context) error {
	return errors.Join(s.Do(ctx, "check-store", s.Data()), s.Complaints())
}

// Do runs one of the program's commands with the settings of the server.
func (s *Server) Do(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.bin, args...)
	cmd.Dir, cmd.Env = s.dir, s.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", args[0], err, out[:min(len(out), saidShown)])
	}
	return nil
}

// Close kills the process if it still runs, and closes its log.
func (s *Server) Close() error {
	if p := s.take(); p != nil {
		_ = p.Process.Kill()
		<-p.gone
	}
	return s.log.Close()
}
