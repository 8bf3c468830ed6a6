package pebblestore

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var errDisk = errors.New("input/output error")

// faultFS is a file system whose writes, or syncs, fail while it is told so.
type faultFS struct {
	vfs.FS
	writes, syncs atomic.Bool
	logs          atomic.Bool                   // only making a new log fails
	hang          atomic.Pointer[chan struct{}] // syncs wait for it
}

func (f *faultFS) heal() {
	f.writes.Store(false)
	f.syncs.Store(false)
	f.logs.Store(false)
}

func (f *faultFS) Unwrap() vfs.FS { return f.FS }

func (f *faultFS) wrap(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fs: f}, nil
}

func (f *faultFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.writes.Load() || f.logs.Load() && strings.HasSuffix(name, ".log") {
		return nil, errDisk
	}
	return f.wrap(f.FS.Create(name, category))
}

func (f *faultFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.wrap(f.FS.OpenReadWrite(name, category, opts...))
}

func (f *faultFS) OpenDir(name string) (vfs.File, error) { return f.wrap(f.FS.OpenDir(name)) }

func (f *faultFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if f.writes.Load() || f.logs.Load() && strings.HasSuffix(newname, ".log") {
		return nil, errDisk
	}
	return f.wrap(f.FS.ReuseForWrite(oldname, newname, category))
}

func (f *faultFS) Rename(oldname, newname string) error {
	if f.writes.Load() {
		return errDisk
	}
	return f.FS.Rename(oldname, newname)
}

type faultFile struct {
	vfs.File
	fs *faultFS
}

func (f *faultFile) Write(p []byte) (int, error) {
	if f.fs.writes.Load() {
		return 0, errDisk
	}
	return f.File.Write(p)
}

func (f *faultFile) sync(sync func() error) error {
	if hang := f.fs.hang.Load(); hang != nil {
		<-*hang
	}
	if f.fs.syncs.Load() {
		return errDisk
	}
	return sync()
}

func (f *faultFile) Sync() error     { return f.sync(f.File.Sync) }
func (f *faultFile) SyncData() error { return f.sync(f.File.SyncData) }

func (f *faultFile) SyncTo(length int64) (full bool, err error) {
	err = f.sync(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}
