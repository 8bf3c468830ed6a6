package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// What Open can find wrong, besides the error of the file system it wraps.
var (
	// ErrLocked says that another process, or another Store of this one, has the folder.
	ErrLocked = errors.New("the ledger's folder is in use")
	// ErrNotWritable says that the folder cannot be made or written to.
	ErrNotWritable = errors.New("the ledger's folder is not writable")
	// ErrNewerFormat says that a newer program has written the ledger.
	ErrNewerFormat = errors.New("the ledger has a newer format")
	// ErrDamaged says that a file of the ledger does not hold what was written there.
	ErrDamaged = errors.New("the ledger is damaged")
	// ErrForeign says that the folder holds something that is no ledger.
	ErrForeign = errors.New("the folder holds something else")
)

// Open opens the ledger in opt.Dir, or makes it. Its error says what is wrong and what to do about it, and wraps one of
// the errors above where that is the reason. ctx bounds the wait before the work begins; reading back a long log after
// a crash takes as long as it takes.
func Open(ctx context.Context, opt Options) (*Store, error) {
	opt.defaults()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lock, err := takeFolder(&opt)
	if err != nil {
		return nil, err
	}
	if err := opt.FS.RemoveAll(checkpointOf(&opt)); err != nil {
		opt.Log.Warn("what is left of a backup that was cut short cannot be removed", "error", err)
	}
	s, err := open(opt, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.tender.Go(s.tend)
	s.tender.Go(s.fill)
	return s, nil
}

// takeFolder makes the folder if need be, looks whether it can be a ledger's, and locks it.
func takeFolder(opt *Options) (io.Closer, error) {
	fs, dir := opt.FS, opt.Dir
	if dir == "" {
		return nil, errors.New("the ledger needs a folder: Dir is empty")
	}
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("%w: %s cannot be made; choose another store.dir or give this user the right to: %w", ErrNotWritable, dir, err)
	}
	if err := lookInto(fs, dir); err != nil {
		return nil, err
	}
	lock, err := fs.Lock(fs.PathJoin(dir, "LOCK"))
	switch {
	case err == nil:
		return lock, nil
	case errors.Is(err, os.ErrPermission) || strings.Contains(err.Error(), "read-only file system"):
		return nil, fmt.Errorf("%w: %s; give this user the right to write there: %w", ErrNotWritable, dir, err)
	}
	return nil, fmt.Errorf("%w by another process: %s; stop that process, or choose another store.dir: %w", ErrLocked, dir, err)
}

// lookInto refuses a folder with files of which none is a database's.
func lookInto(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return fmt.Errorf("%w: %s cannot be listed: %w", ErrNotWritable, dir, err)
	}
	if desc, err := pebble.Peek(dir, fs); err == nil && desc.Exists {
		return nil
	}
	if slices.Contains(names, markName) {
		return fmt.Errorf("%w: %s has lost its database; restore the folder from a backup", ErrDamaged, dir)
	}
	for _, name := range names {
		// A database's making that was cut short leaves these; anything else is somebody's.
		if name != "LOCK" && name != "lost+found" && !ours(name) {
			return fmt.Errorf("%w: %s has %q in it and no ledger; choose an empty folder", ErrForeign, dir, name)
		}
	}
	return nil
}

// ours reports whether a file of this name may come from a database that was never completed.
func ours(name string) bool {
	for _, prefix := range []string{"MANIFEST-", "OPTIONS-", "marker.", "temporary."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	number, _, _ := strings.Cut(name, ".")
	_, err := strconv.ParseUint(number, 10, 64)
	return err == nil
}

func open(opt Options, lock io.Closer) (*Store, error) {
	s := &Store{opt: opt, log: opt.Log, lock: lock, turn: make(chan struct{}, 1), recent: newRecent(), filter: newDedupFilter(opt.FilterBytes), closing: make(chan struct{})}
	d, err := openDatabase(&s.opt)
	if err != nil {
		return nil, explain(&opt, err)
	}
	err = guard(func() (err error) {
		if s.info, err = ledgerOf(d.DB, &opt); err != nil {
			return err
		}
		if s.secret, err = secretOf(d.DB); err != nil {
			return err
		}
		return s.begin(d)
	})
	if err != nil {
		return nil, errors.Join(explain(&opt, err), d.close(s.log))
	}
	s.turn <- struct{}{}
	return s, nil
}

// explain says what an error of the database means and what to do.
func explain(opt *Options, err error) error {
	switch {
	case errors.Is(err, ErrNewerFormat), errors.Is(err, ErrForeign):
		return err
	case errors.Is(err, errCorrupt), pebble.IsCorruptionError(err), errors.Is(err, os.ErrNotExist): // a file that should be there
		return fmt.Errorf("%w: %s; keep a copy of the folder, and restore it from a backup: %w", ErrDamaged, opt.Dir, err)
	case strings.Contains(err.Error(), "format major version"):
		return fmt.Errorf("%w: %s was written by a newer program; start that one: %w", ErrNewerFormat, opt.Dir, err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: %s; give this user the right to write there: %w", ErrNotWritable, opt.Dir, err)
	}
	return fmt.Errorf("the ledger in %s cannot be opened: %w", opt.Dir, err)
}
