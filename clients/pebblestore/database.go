package pebblestore

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// database is one opening of the folder. It is given up as a whole when a write fails, since nobody can tell what such a
// write left behind; the next opening reads from the files what is there.
type database struct {
	*pebble.DB
	fence  *fence
	views  sync.WaitGroup // those not released yet
	work   chan *commit
	failed chan struct{} // closed when the database has failed
	once   sync.Once
	err    error       // why; set before failed is closed
	maimed atomic.Bool // closing it would wait for ever
}

// commit is a batch on its way to the disk.
type commit struct {
	batch *pebble.Batch
	done  chan error // buffered: whoever asked may have gone
}

// openDatabase opens the folder; nothing is known about its content yet.
func openDatabase(opt *Options) (*database, error) {
	d := &database{fence: &fence{FS: opt.FS}, work: make(chan *commit), failed: make(chan struct{})}
	err := guard(func() (err error) {
		d.DB, err = pebble.Open(opt.Dir, d.options(opt))
		return err
	})
	if err != nil {
		d.fence.raise()
		return nil, err
	}
	go d.run()
	return d, nil
}

func (d *database) options(opt *Options) *pebble.Options {
	log := &pebbleLog{log: opt.Log, give: d.give}
	o := &pebble.Options{
		FS:     d.fence,
		Logger: log,
		// Pebble takes what its memtables use off the cache: without this there would be none.
		CacheSize:          opt.CacheBytes + 2*opt.MemTableBytes,
		MemTableSize:       uint64(opt.MemTableBytes),
		FormatMajorVersion: pebble.FormatValueSeparation,
		// Reads are served from snapshots and bloom filters, so that a few more files in L0 cost less than moving them.
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       32,
		MemTableStopWritesThreshold: 4,
		LBaseMaxBytes:               opt.MemTableBytes,
		// Corruption is an error to whoever reads, not the end of the process.
		EventListener: &pebble.EventListener{
			DataCorruption: func(info pebble.DataCorruptionInfo) { log.Errorf("%s", info) },
		},
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].IndexBlockSize = 256 << 10
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.FastestCompression }
	}
	return o
}

// give gives the database up; the first reason counts.
func (d *database) give(err error, maimed bool) {
	if maimed {
		d.maimed.Store(true)
	}
	d.once.Do(func() {
		d.err = err
		close(d.failed)
	})
}

// run applies batches, one after another, in a goroutine of its own: a disk that hangs must not hold up a caller
// beyond its deadline. It ends when work is closed.
func (d *database) run() {
	for c := range d.work {
		err := guard(func() error { return d.Apply(c.batch, pebble.Sync) })
		if err != nil {
			var own bool
			select {
			case <-d.failed:
			default:
				own = true // a panic that did not come by the logger left Pebble's locks held
			}
			d.give(err, own)
		}
		c.done <- err
	}
}

// close frees the database as far as that can be done. No view of it may be in use any more.
func (d *database) close(log *slog.Logger) error {
	close(d.work)
	if d.maimed.Load() {
		log.Warn("an opening of the ledger that failed cannot be closed; its memory stays in use until the process ends")
		return nil
	}
	return guard(d.Close)
}
