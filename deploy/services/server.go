package services

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

const (
	readyEvery = 50 * time.Millisecond
	readyOnce  = 5 * time.Second  // one question
	readyAfter = 90 * time.Second // unless the context ends before
	goneEvery  = 10 * time.Millisecond
	goneAfter  = 10 * time.Second // what SIGKILL may take
)

// Server is a process of the test's own. Its methods are called from one goroutine; Instance may be copied freely.
type Server struct {
	Instance
	spec    Spec
	process process
	gone    chan struct{} // closed when the process has ended and was waited for
}

// Start runs a server and returns when it is ready. A data folder that is there is used again. The server ends with this
// process at the latest. Without a deadline in ctx it gets 90 seconds.
func Start(ctx context.Context, spec Spec) (*Server, error) {
	spec, err := spec.complete()
	if err != nil {
		return nil, err
	}
	if err := Installed(spec.Kind); err != nil {
		return nil, err
	}
	s := &Server{Instance: Instance{Kind: spec.Kind, Addr: spec.address()}, spec: spec}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Kind, err)
	}
	return s, nil
}

// PID is the number of the server's process.
func (s *Server) PID() int { return s.process.pid }

// Kill ends the server as kill -9 does, with all its processes, and returns when they are gone.
func (s *Server) Kill() error {
	if err := s.process.kill(); err != nil {
		return fmt.Errorf("kill %s: %w", s.Kind, err)
	}
	<-s.gone
	return nil
}

// Stop asks the server to end in order and returns when it has. If ctx ends before, the server is killed and the error
// says so. A frozen server is thawed first. Stopping what does not run is nothing.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.process.stop(ctx, known[s.Kind].stop); err != nil {
		return fmt.Errorf("stop %s: %w", s.Kind, err)
	}
	<-s.gone
	return nil
}

// Freeze stops all processes of the server where they are. Connections stay, and the kernel even takes new ones, but
// nothing is answered.
func (s *Server) Freeze() error { return s.process.freeze() }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return s.process.thaw() }

// Restart runs the server again on its data and its port, stopping it in order if it runs, and returns when it is ready.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("start %s again: %w", s.Kind, err)
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyAfter)
	defer cancel()
	// Whoever else has the port would answer the question whether the server is ready.
	if err := portsSoonFree(s.spec.Port, known[s.Kind].neighbours); err != nil {
		return err
	}
	if err := prepare(ctx, s.spec); err != nil {
		return err
	}
	if configure := known[s.Kind].configure; configure != nil {
		if err := configure(s.spec); err != nil {
			return err
		}
	}
	if err := s.launch(); err != nil {
		return err
	}
	if err := s.await(ctx); err != nil {
		return errors.Join(err, s.Kill())
	}
	return nil
}

func (s *Server) launch() error {
	log, err := os.OpenFile(s.spec.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has one of its own
	cmd := known[s.Kind].command(s.spec)
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr, err = attributes(s.spec.life, known[s.Kind].user); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.gone = make(chan struct{})
	go reap(cmd, s.gone) // ends with the process, which Stop and Kill end
	if s.process, err = identify(cmd.Process.Pid); err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	if s.spec.life == detached {
		return s.process.save(s.spec.pidFile())
	}
	return nil
}

func reap(cmd *exec.Cmd, gone chan<- struct{}) {
	_ = cmd.Wait() // how it ended is in its log
	close(gone)
}

// await returns when the server is ready, has ended, or ctx has.
func (s *Server) await(ctx context.Context) error {
	for {
		err := s.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.gone:
			return fmt.Errorf("it ended at once; its log %s says:\n%s", s.spec.log(), tail(s.spec.log()))
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w; its log %s says:\n%s", err, s.spec.log(), tail(s.spec.log()))
		case <-time.After(readyEvery):
		}
	}
}

func (s *Server) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyOnce)
	defer cancel()
	return s.Ready(ctx)
}
