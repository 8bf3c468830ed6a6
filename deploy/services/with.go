package services

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// With runs do while the default instances of the kinds run. Afterwards it stops them, unless [Up] was asked for them or
// another With still needs them: then the last one stops them.
func With(ctx context.Context, progress io.Writer, kinds []Kind, do func() error) (err error) {
	release, err := borrow(ctx, progress, kinds)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return do()
}

func borrow(ctx context.Context, progress io.Writer, kinds []Kind) (release func() error, err error) {
	unlock, err := lockDefaults()
	if err != nil {
		return nil, err
	}
	defer unlock()
	users, err := openLock("users")
	if err != nil {
		return nil, err
	}
	release = func() error { return giveBack(context.WithoutCancel(ctx), progress, users) }
	if err := flock(users, syscall.LOCK_SH); err != nil {
		return nil, err
	}
	if err := upAll(ctx, progress, kinds); err != nil {
		unlock()
		return nil, errors.Join(err, release())
	}
	return release, nil
}

func giveBack(ctx context.Context, progress io.Writer, users *os.File) error {
	defer func() { _ = users.Close() }()
	unlock, err := lockDefaults()
	if err != nil {
		return err
	}
	defer unlock()
	if kept() || flock(users, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	return downAll(ctx, progress, Kinds())
}

// lockDefaults lets one process at a time start and stop default instances.
func lockDefaults() (unlock func(), err error) {
	lock, err := openLock("lock")
	if err != nil {
		return nil, err
	}
	if err := flock(lock, syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}

func openLock(name string) (*os.File, error) {
	dir, err := defaultsDir()
	if err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
}

// flock's lock ends with the file's last descriptor, however the process ends.
func flock(f *os.File, how int) error { return syscall.Flock(int(f.Fd()), how) }

// The file "kept" says that the default instances are to stay until Down.

func keep() error {
	path, err := keptPath()
	if err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o600)
}

func keepNot() error {
	path, err := keptPath()
	if err != nil {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func kept() bool {
	path, err := keptPath()
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

func keptPath() (string, error) {
	dir, err := defaultsDir()
	return filepath.Join(dir, "kept"), err
}
