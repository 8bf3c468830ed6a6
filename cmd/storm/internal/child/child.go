// Package child runs the server as a process of its own: the only way to find out what kill -9 leaves behind.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	readyEvery = 20 * time.Millisecond
	readyAfter = 60 * time.Second
	stopAfter  = 60 * time.Second
	checkShown = 2000 // bytes of what check-store says
)

var errNotRunning = errors.New("the server does not run")

// Server is a Yanlink process that can be killed and started again on the same folder and port. Its methods are called
// from one goroutine.
type Server struct {
	bin, dir string
	address  string
	log      *os.File
	cmd      *exec.Cmd
	gone     chan struct{} // closed when the process has ended and ended is set
	ended    error         // what Wait returned
}

// New prepares a server with its data and its log below dir, on a free port. It starts nothing.
func New(bin, dir string) (*Server, error) {
	bin, binErr := filepath.Abs(bin) // the process runs in dir, where a relative path means something else
	dir, dirErr := filepath.Abs(dir)
	if err := errors.Join(binErr, dirErr); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	return &Server{bin: bin, dir: dir, address: address, log: log}, nil
}

// freeAddress finds a port that is free now; every start of the server takes it again.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// URL returns where the server listens.
func (s *Server) URL() string { return "http://" + s.address }

// Data returns the folder of the ledger.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// Start starts the process and returns when it says that it is ready.
func (s *Server) Start(ctx context.Context) error {
	cmd := exec.Command(s.bin)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(),
		"YANLINK_SERVER_LISTEN="+s.address,
		"YANLINK_SERVER_ADMIN=",
		"YANLINK_STORE_DIR="+s.Data(),
		"YANLINK_LIMITS_FRAMESPERSECOND=0",
		"YANLINK_LIMITS_CONNECTIONSPERIP=0",
		"YANLINK_LIMITS_CONNECTSPERSECONDPERIP=0",
		"YANLINK_DRAIN_DELAY=0s",
		"YANLINK_DRAIN_SPREAD=200ms",
	)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	s.cmd, s.gone = cmd, make(chan struct{})
	go func() {
		defer close(s.gone)
		s.ended = cmd.Wait()
	}()
	return s.ready(ctx)
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyAfter)
	defer cancel()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.gone:
			return fmt.Errorf("%w before it was ready", s.bury())
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w; see %s", ctx.Err(), s.log.Name())
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
	if s.cmd == nil {
		return errNotRunning
	}
	select {
	case <-s.gone:
		return s.bury()
	default:
		return nil
	}
}

// bury says how the process ended, which nobody had asked it to.
func (s *Server) bury() error {
	how := s.cmd.ProcessState.String()
	s.cmd = nil
	return fmt.Errorf("the server ended by itself (%s; see %s)", how, s.log.Name())
}

// Kill ends the process with SIGKILL and waits for its end. An error means that it was dead already.
func (s *Server) Kill() error {
	if s.cmd == nil {
		return errNotRunning
	}
	err := s.cmd.Process.Kill()
	<-s.gone
	s.cmd = nil
	if err != nil {
		return fmt.Errorf("the server had ended by itself: %w; see %s", err, s.log.Name())
	}
	return nil
}

// Stop ends the process with SIGTERM and waits for its end, which has to be an orderly one.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	select {
	case <-s.gone:
		s.cmd = nil
		if s.ended != nil {
			return fmt.Errorf("the server did not stop in order: %w; see %s", s.ended, s.log.Name())
		}
		return nil
	case <-time.After(stopAfter):
		_ = s.Kill()
		return fmt.Errorf("the server did not stop within %v; see %s", stopAfter, s.log.Name())
	}
}

// Check runs check-store on the data, which nobody may have open, and reads the log for what a server must never write.
func (s *Server) Check(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, s.bin, "check-store", s.Data()).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("check-store: %w\n%s", err, out[:min(len(out), checkShown)])
	}
	return errors.Join(err, complaints(s.log.Name()))
}

// Close kills the process if it still runs, and closes its log.
func (s *Server) Close() error {
	if s.cmd != nil {
		_ = s.Kill()
	}
	return s.log.Close()
}
