package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Up starts the default instances of the kinds that do not run, one after the other, and returns when all are ready.
// They run until [Down].
func Up(ctx context.Context, progress io.Writer, kinds ...Kind) error {
	unlock, err := lockDefaults()
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(keep(), upAll(ctx, progress, kinds))
}

func upAll(ctx context.Context, progress io.Writer, kinds []Kind) error {
	for _, kind := range kinds {
		if err := up(ctx, progress, kind); err != nil {
			return err
		}
	}
	return nil
}

func up(ctx context.Context, progress io.Writer, kind Kind) error {
	if err := upAll(ctx, progress, known[kind].needs); err != nil {
		return err
	}
	spec, err := defaultSpec(kind)
	if err != nil {
		return err
	}
	state := stateOf(ctx, spec)
	if state.PID != 0 {
		if state.Problem != nil {
			return fmt.Errorf("%s runs as process %d but is not ready: %w; see %s, or run `make services-down`",
				kind, state.PID, state.Problem, spec.log())
		}
		return nil
	}
	begun := time.Now()
	if _, err := Start(ctx, spec); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(progress, "%s is ready on %s after %.1f s\n", kind, spec.address(), time.Since(begun).Seconds())
	return nil
}

// Down stops the default instances of the kinds in reverse order: those that Up has started, no others. While a [With]
// needs them it fails, and the last one stops them.
func Down(ctx context.Context, progress io.Writer, kinds ...Kind) error {
	unlock, err := lockDefaults()
	if err != nil {
		return err
	}
	defer unlock()
	users, err := openLock("users")
	if err != nil {
		return err
	}
	defer func() { _ = users.Close() }()
	if flock(users, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return errors.Join(keepNot(), errUsed)
	}
	return errors.Join(keepNot(), downAll(ctx, progress, kinds))
}

// errUsed is what Down returns while a [With] needs the services.
var errUsed = errors.New("somebody uses the services yet; they are stopped when the last one has ended")

func downAll(ctx context.Context, progress io.Writer, kinds []Kind) error {
	var problems error
	for _, kind := range slices.Backward(kinds) {
		problems = errors.Join(problems, down(ctx, progress, kind))
	}
	return problems
}

func down(ctx context.Context, progress io.Writer, kind Kind) error {
	spec, err := defaultSpec(kind)
	if err != nil {
		return err
	}
	p, err := loadProcess(spec.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.alive() {
		ctx, cancel := context.WithTimeout(ctx, stopWait)
		defer cancel()
		if err := p.stop(ctx, known[kind].stop); err != nil {
			return fmt.Errorf("stop %s: %w", kind, err)
		}
		_, _ = fmt.Fprintf(progress, "%s is stopped\n", kind)
	}
	return os.Remove(spec.pidFile())
}

// State is what there is to say about a default instance.
type State struct {
	Instance
	PID     int    // 0: Up has not started it, or it has ended
	Dir     string // of its data and log
	Problem error  // why it is not ready; nil if it is
}

// Status looks at the default instances of the kinds.
func Status(ctx context.Context, kinds ...Kind) ([]State, error) {
	var states []State
	for _, kind := range kinds {
		spec, err := defaultSpec(kind)
		if err != nil {
			return nil, err
		}
		states = append(states, stateOf(ctx, spec))
	}
	return states, nil
}

func stateOf(ctx context.Context, spec Spec) State {
	state := State{Instance: Default(spec.Kind), Dir: spec.Dir}
	if p, err := loadProcess(spec.pidFile()); err == nil && p.alive() {
		state.PID = p.pid
	}
	ctx, cancel := context.WithTimeout(ctx, readyOnce)
	defer cancel()
	state.Problem = state.Ready(ctx)
	return state
}

func defaultSpec(kind Kind) (Spec, error) {
	dir, err := defaultsDir()
	return Spec{
		Kind: kind, Dir: filepath.Join(dir, string(kind)), Port: known[kind].port,
		Namesrv: Default(Namesrv).Addr, life: detached,
	}, err
}

// defaultsDir makes and returns the folder of the default instances.
func defaultsDir() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "default")
	return dir, os.MkdirAll(dir, 0o700)
}
