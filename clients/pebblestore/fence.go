package pebblestore

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// errFenced is what an abandoned database gets for every write.
var errFenced = errors.New("this opening of the ledger was given up")

// failurePause is how long a failed write is held back: Pebble tries a failed flush again at once, for ever.
const failurePause = 20 * time.Millisecond

// fence stands between one opening of the database and its folder. Once it is raised nothing of that opening can write
// there any more: its background work may go on for a while after it was given up, under the feet of the next opening.
type fence struct {
	vfs.FS
	spare  string       // a folder of a backup's, which may fail: nothing of the database is in it
	mu     sync.RWMutex // held for reading while a write is under way
	raised bool
	dead   atomic.Bool // whoever writes is held for ever
	give   func(err error, maimed bool)
}

// raise waits for the writes under way, and lets no more through.
func (f *fence) raise() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.raised = true
}

// pass runs write unless the fence is up. The first write that fails gives the database up: nobody can tell what it
// left behind, and Pebble would try many of them again and again, with commits waiting behind them.
func (f *fence) pass(write func() error) error {
	err := f.through(write)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return err
	}
	f.holdIfRotating(err)
	if f.dead.Load() {
		select {}
	}
	f.give(err, false)
	time.Sleep(failurePause)
	return err
}

// holdIfRotating never returns if Pebble is about to put a new log in the place of a full one. Told that this failed,
// it panics with its main lock released, and a deferred call then releases that lock once more, which ends the process:
// no recover helps. So its goroutine is held, and the database is given up behind its back.
func (f *fence) holdIfRotating(err error) {
	if calledBy(".(*DB).rotateWAL") {
		f.give(err, true)
		select {}
	}
}

// passTo is pass for a write to the file or folder called name, or through if a failure there is no harm.
func (f *fence) passTo(name string, write func() error) error {
	if f.spared(name) {
		return f.through(write)
	}
	return f.pass(write)
}

func (f *fence) spared(name string) bool { return f.spare != "" && strings.HasPrefix(name, f.spare) }

func (f *fence) through(write func() error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.raised {
		return errFenced
	}
	return write()
}

func (f *fence) file(name string, open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.passTo(name, func() (err error) {
		file, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &fencedFile{File: file, fence: f, spared: f.spared(name)}, nil
}

// Lock does nothing: the Store holds the folder's lock for all its openings.
func (f *fence) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// Unwrap returns the file system behind the fence.
func (f *fence) Unwrap() vfs.FS { return f.FS }

// Create implements vfs.FS.
func (f *fence) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(name, func() (vfs.File, error) { return f.FS.Create(name, category) })
}

// OpenReadWrite implements vfs.FS.
func (f *fence) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.file(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, category, opts...) })
}

// OpenDir implements vfs.FS.
func (f *fence) OpenDir(name string) (vfs.File, error) {
	return f.file(name, func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

// ReuseForWrite implements vfs.FS.
func (f *fence) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(newname, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, category) })
}

// Link implements vfs.FS.
func (f *fence) Link(oldname, newname string) error {
	return f.passTo(newname, func() error { return f.FS.Link(oldname, newname) })
}

// Remove implements vfs.FS.
func (f *fence) Remove(name string) error {
	return f.passTo(name, func() error { return f.FS.Remove(name) })
}

// RemoveAll implements vfs.FS.
func (f *fence) RemoveAll(name string) error {
	return f.passTo(name, func() error { return f.FS.RemoveAll(name) })
}

// Rename implements vfs.FS.
func (f *fence) Rename(oldname, newname string) error {
	return f.passTo(newname, func() error { return f.FS.Rename(oldname, newname) })
}

// MkdirAll implements vfs.FS.
func (f *fence) MkdirAll(dir string, perm os.FileMode) error {
	return f.passTo(dir, func() error { return f.FS.MkdirAll(dir, perm) })
}

// fencedFile is a file that was opened for writing.
type fencedFile struct {
	vfs.File
	fence  *fence
	spared bool
	failed atomic.Pointer[error] // the first error of a write
}

// pass is the fence's, and remembers an error.
func (f *fencedFile) pass(write func() error) error {
	if f.spared {
		return f.fence.through(write)
	}
	err := f.fence.pass(write)
	if err != nil {
		f.failed.CompareAndSwap(nil, &err)
	}
	return err
}

// Close implements vfs.File. A log that failed is closed when it is rotated, too; Pebble learns of the failure after it.
func (f *fencedFile) Close() error {
	if err := f.failed.Load(); err != nil {
		f.fence.holdIfRotating(*err)
	}
	return f.File.Close()
}

func (f *fencedFile) Write(p []byte) (n int, err error) {
	err = f.pass(func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *fencedFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.pass(func() (err error) {
		n, err = f.File.WriteAt(p, off)
		return err
	})
	return n, err
}

// Preallocate passes an error on as it is: there are file systems that cannot do it, and Pebble goes on without.
func (f *fencedFile) Preallocate(offset, length int64) error {
	return f.fence.through(func() error { return f.File.Preallocate(offset, length) })
}

func (f *fencedFile) Sync() error { return f.pass(f.File.Sync) }

func (f *fencedFile) SyncData() error { return f.pass(f.File.SyncData) }

func (f *fencedFile) SyncTo(length int64) (full bool, err error) {
	err = f.pass(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}
