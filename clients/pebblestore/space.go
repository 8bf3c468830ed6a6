package pebblestore

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// spaceEvery is how long an answer of the file system about its free space counts.
const spaceEvery = 250 * time.Millisecond

// space refuses commits before the disk is full, as long as there is still room for compactions to make more.
type space struct {
	asked time.Time
	err   error
}

func (s *space) check(opt *Options) error {
	if opt.MinFree < 0 {
		return nil
	}
	if now := time.Now(); now.Sub(s.asked) >= spaceEvery {
		s.asked, s.err = now, ask(opt.FS, opt.Dir, uint64(opt.MinFree))
	}
	return s.err
}

// ask lets a file system that does not know pass: the write will tell.
func ask(fs vfs.FS, dir string, minFree uint64) error {
	usage, err := fs.GetDiskUsage(dir)
	if err != nil || usage.AvailBytes >= minFree {
		return nil
	}
	return unavailable(fmt.Errorf("disk full: %d MiB free in %s, MinFree is %d MiB", usage.AvailBytes>>20, dir, minFree>>20))
}

// probe writes and syncs a small file. A disk that cannot do that is not worth an attempt to open the database, which
// may not come to an end when its writes fail.
func probe(fs vfs.FS, dir string) (err error) {
	name := fs.PathJoin(dir, "temporary.probe")
	file, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), fs.Remove(name)) }()
	if _, err := file.Write([]byte("probe")); err != nil {
		return err
	}
	return file.Sync()
}
