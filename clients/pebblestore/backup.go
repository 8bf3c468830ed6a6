package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrOccupied says that a backup's folder, or the one that it grows in, holds something already.
var ErrOccupied = errors.New("the backup's folder is not empty")

// unfinished ends the name of a backup's folder until it is whole.
const unfinished = ".unfinished"

// Copied is what a backup consists of.
type Copied struct {
	Files int
	Bytes int64
}

// Backup copies the ledger into the folder to, which must be empty or not there: all that was committed before the call,
// and of what comes meanwhile each commit whole or not at all. The copy is a ledger like any other, and shares the tables
// with this one where both are on one file system.
//
// Commits wait while the latest writes are copied, which is less than a second. On a file system that cannot link files they
// wait for all of it. The folder gets its name once everything in it is durable; an error, the end of ctx, or Close leaves
// none.
func (s *Store) Backup(ctx context.Context, to string) (Copied, error) {
	if !s.backup.TryLock() {
		return Copied{}, errors.New("another backup of this ledger is being made; wait for its end")
	}
	defer s.backup.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	fs, from := s.opt.FS, checkpointOf(&s.opt)
	return backUp(fs, s.opt.Dir, to, func(draft string) (Copied, error) {
		if err := errors.Join(fs.RemoveAll(from), s.checkpoint(ctx, from)); err != nil {
			return Copied{}, errors.Join(err, fs.RemoveAll(from)) // its links would keep tables that the ledger gives up
		}
		copied, err := copyLedger(ctx, fs, from, draft)
		return copied, errors.Join(err, fs.RemoveAll(from))
	})
}

// Backup does what Store.Backup does, for a ledger that no server has open, and neither opens nor changes it. A nil fs means
// the machine's. Its error is ErrLocked while a server has the ledger.
func Backup(ctx context.Context, dir, to string, fs vfs.FS) (copied Copied, err error) {
	opt := Options{Dir: dir, FS: fs}
	opt.defaults()
	lock, err := lockLedger(&opt)
	if err != nil {
		return Copied{}, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return backUp(opt.FS, dir, to, func(draft string) (Copied, error) { return copyLedger(ctx, opt.FS, dir, draft) })
}

// backUp has fill put a ledger's files into a folder beside to, which becomes to when it is whole.
func backUp(fs vfs.FS, dir, to string, fill func(draft string) (Copied, error)) (Copied, error) {
	if err := outside(dir, to); err != nil {
		return Copied{}, err
	}
	if err := vacate(fs, to); err != nil {
		return Copied{}, err
	}
	draft := to + unfinished
	if err := fs.MkdirAll(draft, 0o750); err != nil {
		return Copied{}, fmt.Errorf("the backup's folder %s cannot be made; name another, or give this user the right to: %w", draft, err)
	}
	copied, err := fill(draft)
	if err == nil {
		err = fs.Rename(draft, to)
	}
	if err != nil {
		return Copied{}, errors.Join(fmt.Errorf("make the backup: %w", err), fs.RemoveAll(draft))
	}
	return copied, syncFolder(fs, fs.PathDir(to))
}

// outside refuses a backup within the folder that it is to save.
func outside(dir, to string) error {
	if to == "" {
		return errors.New("the backup needs a folder")
	}
	for _, path := range []*string{&dir, &to} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	way, err := filepath.Rel(dir, to)
	if err != nil || way == ".." || strings.HasPrefix(way, ".."+string(filepath.Separator)) {
		return err
	}
	return fmt.Errorf("%s is in the ledger's own folder; name one elsewhere, best on another disk", to)
}

// vacate removes an empty folder of the backup's name, so that the whole one takes its place at once.
func vacate(fs vfs.FS, to string) error {
	if _, err := fs.Stat(to + unfinished); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("%w: %s is left of a backup that was cut short, or one is being made there; remove it, or name another folder", ErrOccupied, to+unfinished), err)
	}
	names, err := fs.List(to)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %s cannot be listed: %w", ErrOccupied, to, err)
	case len(names) > 0:
		return fmt.Errorf("%w: %s holds %q; name an empty folder, or one that is not there", ErrOccupied, to, names[0])
	}
	if err := fs.Remove(to); err != nil {
		return fmt.Errorf("the backup's folder %s cannot be replaced; name one that is not there: %w", to, err)
	}
	return nil
}

// copyLedger puts the files of a database that nobody writes to into the folder to. What makes a database of them comes
// last: a folder that lacks anything is none.
func copyLedger(ctx context.Context, fs vfs.FS, from, to string) (copied Copied, err error) {
	names, err := fs.List(from)
	if err != nil {
		return copied, err
	}
	for _, markers := range []bool{false, true} {
		for _, name := range names {
			if !ours(name) || strings.HasPrefix(name, "temporary.") || strings.HasPrefix(name, "marker.") != markers {
				continue
			}
			if err := ctx.Err(); err != nil {
				return copied, err
			}
			size, err := copyFile(fs, fs.PathJoin(from, name), fs.PathJoin(to, name))
			if err != nil {
				return copied, err
			}
			copied.Files++
			copied.Bytes += size
		}
	}
	lock, err := fs.Create(fs.PathJoin(to, "LOCK"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return copied, err
	}
	return copied, errors.Join(lock.Close(), mark(&Options{FS: fs, Dir: to}))
}

// copyFile copies and syncs a file, or links it if it is one of those that never change, and returns its size.
func copyFile(fs vfs.FS, from, to string) (size int64, err error) {
	info, err := fs.Stat(from)
	if err != nil {
		return 0, err
	}
	if strings.HasSuffix(from, ".sst") || strings.HasSuffix(from, ".blob") {
		return info.Size(), vfs.LinkOrCopy(fs, from, to)
	}
	return info.Size(), vfs.Copy(fs, from, to)
}
