// Package child starts the servers under test as processes of their own, so that what they cost can be told from what
// the generator costs, and stops them again. It only ever signals processes that it started.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second
	defaultGrace = 15 * time.Second
	askEvery     = 20 * time.Millisecond
	tailBytes    = 2 << 10
)

// Command says how to run a server.
type Command struct {
	Name string
	Path string
	Args []string
	Env  []string // added to this process's own
	Addr string   // where it will listen; /readyz there answers 200 when it is ready
	Log  string   // file that takes what it writes

	Grace time.Duration // between asking it to end and killing it; default 15 s
}

// Process is a running server.
type Process struct {
	Name string
	Addr string

	cmd    *exec.Cmd
	grace  time.Duration
	log    *os.File
	exited chan struct{}
	err    error // of its end; read it after exited is closed
}

// Start runs a server and waits until it is ready. When it fails, nothing is left running.
func Start(ctx context.Context, c Command) (*Process, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", c.Name, err), log.Close())
	}
	p := &Process{Name: c.Name, Addr: c.Addr, cmd: cmd, grace: c.Grace, log: log, exited: make(chan struct{})}
	if p.grace == 0 {
		p.grace = defaultGrace
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w%s", c.Name, err, tail(c.Log)), p.Stop())
	}
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticks := time.NewTicker(askEvery)
	defer ticks.Stop()
	for {
		err := p.ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("it ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("it was not ready within %v: %w", startTimeout, err)
		case <-ticks.C:
		}
	}
}

func (p *Process) ask(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Addr+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %d", response.StatusCode)
	}
	return nil
}

// Stop asks the process to end and, if it does not, kills it. It may be called again.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.exited:
	case <-time.After(p.grace):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	if err := p.log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	return nil
}

// Kill ends the process as a power cut would. It may be called again.
func (p *Process) Kill() error {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
	if err := p.log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	return nil
}

// tail is the end of a log, for an error.
func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return ""
	}
	return "; it wrote:\n" + strings.TrimSpace(string(raw[max(0, len(raw)-tailBytes):]))
}
