package pebblestore

import (
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say where the ledger is and what it may use. Only Dir is required.
type Options struct {
	// Dir is the ledger's folder; made if it is not there. Nothing else may be in it.
	Dir string
	// FS is the file system; nil: the machine's.
	FS vfs.FS
	// CacheBytes is how much of the tables is kept in memory; 0: 64 MiB.
	CacheBytes int64
	// MemTableBytes is how much is written to the log before it becomes a table; 0: 32 MiB. Up to four times as much
	// is in memory while a disk is slow.
	MemTableBytes int64
	// FilterBytes is how much of memory is given to knowing which msgids were never used; 0: 16 MiB, at which some
	// 13 million of them cost one needless lookup in fifty. With more there are more such lookups.
	FilterBytes int64
	// MinFree is how many bytes the disk must have free for a commit to be tried; 0: 64 MiB; negative: no limit.
	MinFree int64
	// Log takes what nobody can be answered with; nil: the log is dropped.
	Log *slog.Logger
}

func (o *Options) defaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	o.FS = copying{o.FS}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 32 << 20
	}
	if o.FilterBytes == 0 {
		o.FilterBytes = 16 << 20
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}
