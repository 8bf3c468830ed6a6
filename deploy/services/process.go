package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process names one process for good: numbers are given again, but not with the same start.
type process struct {
	pid     int
	started string // ticks since the machine's boot
}

// identify returns the process that has the number now.
func identify(pid int) (process, error) {
	entry, err := readStat(pid)
	if err != nil {
		return process{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return process{pid: pid, started: entry.started}, nil
}

// loadProcess returns the process that save wrote down.
func loadProcess(path string) (process, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return process{}, err
	}
	var p process
	if _, err := fmt.Sscan(string(text), &p.pid, &p.started); err != nil {
		return process{}, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

func (p process) save(path string) error {
	return os.WriteFile(path, fmt.Appendln(nil, p.pid, p.started), 0o600)
}

func (p process) alive() bool {
	entry, err := readStat(p.pid)
	return err == nil && entry.started == p.started && entry.state != "Z"
}

func (p process) signal(s syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	if err := syscall.Kill(p.pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process %d: %w", p.pid, err)
	}
	return nil
}

// freeze stops the process and all below it; they are frozen from the top, so that none starts another meanwhile.
func (p process) freeze() error {
	_, err := p.freezeAll()
	return err
}

func (p process) freezeAll() ([]process, error) {
	if !p.alive() {
		return nil, errors.New("it does not run")
	}
	frozen := []process{p}
	for i := 0; i < len(frozen); i++ {
		if err := frozen[i].signal(syscall.SIGSTOP); err != nil {
			return nil, err
		}
		children, err := frozen[i].children()
		if err != nil {
			return nil, err
		}
		frozen = append(frozen, children...)
	}
	return frozen, nil
}

// thaw lets all go on, the top last: it must not find a child silent.
func (p process) thaw() error {
	if !p.alive() {
		return nil
	}
	all := []process{p}
	for i := 0; i < len(all); i++ {
		children, err := all[i].children()
		if err != nil {
			return err
		}
		all = append(all, children...)
	}
	for _, one := range slices.Backward(all) {
		if err := one.signal(syscall.SIGCONT); err != nil {
			return err
		}
	}
	return nil
}

// kill ends the process and all below it, and returns when they are gone. PostgreSQL's children have sessions of their
// own, and would otherwise finish what they are at.
func (p process) kill() error {
	if !p.alive() {
		return nil
	}
	all, err := p.freezeAll()
	if err != nil {
		return err
	}
	for _, one := range all {
		if err := one.signal(syscall.SIGKILL); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), goneAfter)
	defer cancel()
	for _, one := range all {
		if err := one.awaitEnd(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop asks the process to end, waits until it has, and kills it if ctx ends before.
func (p process) stop(ctx context.Context, request syscall.Signal) error {
	if err := errors.Join(p.thaw(), p.signal(request)); err != nil {
		return err
	}
	if p.awaitEnd(ctx) != nil {
		return p.kill()
	}
	return nil
}

func (p process) awaitEnd(ctx context.Context) error {
	for p.alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d does not end: %w", p.pid, ctx.Err())
		case <-time.After(goneEvery):
		}
	}
	return nil
}

// children returns the processes whose parent is p.
func (p process) children() ([]process, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		// What cannot be read has ended meanwhile.
		if entry, err := readStat(pid); err == nil && entry.parent == p.pid {
			found = append(found, process{pid: pid, started: entry.started})
		}
	}
	return found, nil
}

// stat is what /proc/PID/stat says.
type stat struct {
	state   string
	parent  int
	started string
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The program's name stands in brackets and may have anything in it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("/proc/%d/stat is cut short", pid)
	}
	parent, err := strconv.Atoi(fields[1])
	return stat{state: fields[0], parent: parent, started: fields[19]}, err
}
