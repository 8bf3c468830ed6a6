// Package measure reads what a run cost: processor time and memory of processes, the machine as a whole, and the lag
// of the generator itself.
package measure

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of /proc/*/stat; Linux shows 100 a second to programs on every architecture Go runs on.
const clockTick = 10 * time.Millisecond

// CPU returns the user and system time that a process has used so far, from /proc: it needs Linux.
func CPU(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return ticks(fields[11:13]...)
}

// CPUWithChildren is CPU with that of the process's children, those that have ended too: PostgreSQL serves each connection from one.
func CPUWithChildren(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	total, err := ticks(fields[11:15]...)
	if err != nil {
		return 0, err
	}
	children, err := childrenOf(pid)
	if err != nil {
		return 0, err
	}
	for _, child := range children {
		used, err := CPU(child)
		if err != nil && !ended(err) {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// childrenOf returns the processes that any thread of a process has begun and that live.
func childrenOf(pid int) (children []int, err error) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		raw, failed := os.ReadFile(list)
		if ended(failed) {
			continue
		}
		err = errors.Join(err, failed)
		for _, field := range strings.Fields(string(raw)) {
			child, failed := strconv.Atoi(field)
			children, err = append(children, child), errors.Join(err, failed)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the children of process %d: %w", pid, err)
	}
	return children, nil
}

// ended reports whether a process or thread has ended since it was listed, before its file was opened or before it was read.
func ended(err error) bool { return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// stat returns the fields of /proc/*/stat from the third on.
func stat(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("read the processor time of process %d: %w", pid, err)
	}
	// The name in parentheses may hold anything, so the fields are counted from behind it.
	_, rest, ok := bytes.Cut(raw, []byte(") "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 15 {
		return nil, fmt.Errorf("read the processor time of process %d: unknown format", pid)
	}
	return fields, nil
}

func ticks(fields ...string) (time.Duration, error) {
	var sum time.Duration
	for _, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		sum += time.Duration(n) * clockTick
	}
	return sum, nil
}

// RSS returns the resident memory of a process in bytes.
func RSS(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	_, rest, ok := bytes.Cut(raw, []byte("VmRSS:"))
	fields := bytes.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, fmt.Errorf("read the memory of process %d: no VmRSS", pid)
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return kib << 10, nil
}

// OwnCPU returns the processor time that this process has used so far.
func OwnCPU() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("read own processor time: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// BusyCPU returns the time that all processes of the machine have spent so far, without interrupts and what a
// hypervisor stole.
func BusyCPU() (time.Duration, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's processor time: %w", err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[0] != "cpu" {
		return 0, errors.New("read the machine's processor time: unknown format")
	}
	return ticks(fields[1], fields[2], fields[3])
}
