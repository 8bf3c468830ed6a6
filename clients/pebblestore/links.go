package pebblestore

import (
	"errors"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// copying has files copied where a file system has no links. That is EPERM of link(2), which Pebble takes for a lack of rights
// that would keep it from copying too.
type copying struct{ vfs.FS }

var errNoLinks = errors.New("the file system has no links")

func (c copying) Link(from, to string) error {
	err := c.FS.Link(from, to)
	if errors.Is(err, syscall.EPERM) {
		return errNoLinks
	}
	return err
}

// Unwrap implements vfs.FS.
func (c copying) Unwrap() vfs.FS { return c.FS }
