package pebblestore

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// database is one opening of the folder. It is given up as a whole when a write fails, since nobody can tell what such a
// write left behind; the next opening reads from the files what is there.
type database struct {
	*pebble.DB
	fence  *fence
	cache  *pebble.Cache
	views  sync.WaitGroup // those not released yet
	work   chan *commit
	ended  chan struct{} // closed when run has
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

const (
	// tableBytes is how large the youngest tables are. Pebble opens each table that it writes or reads and closes it only
	// when it is gone, so with its own 2 MiB a node's descriptors, and the memory beside them, grow with its ledger.
	tableBytes = 16 << 20
	// openTables is how many are open at most, for the same reason: with tables of that size, some 10 GiB of them. In a
	// larger ledger a read may have to open its table again, which costs a tenth of a millisecond.
	openTables = 118
	// otherFiles is what Pebble takes off MaxOpenFiles for files that are no tables.
	otherFiles = 10
)

// grace is how long a database that failed may take to come to an end.
const grace = 2 * time.Second

// openDatabase opens the folder; nothing is known about its content yet.
func openDatabase(opt *Options) (*database, error) {
	d := &database{work: make(chan *commit), failed: make(chan struct{}), ended: make(chan struct{})}
	d.fence = &fence{FS: opt.FS, give: d.give, spare: checkpointOf(opt)}
	// Pebble takes what its memtables use off the cache: without the addition nothing would be left of it.
	d.cache = pebble.NewCache(opt.CacheBytes + 2*opt.MemTableBytes)
	opened := make(chan opening, 1)
	go func() {
		var o opening
		o.err = guard(func() (err error) {
			o.db, err = pebble.Open(opt.Dir, d.options(opt))
			return err
		})
		opened <- o
	}()
	err := d.await(opened, opt.Log)
	if err == nil {
		return d, nil
	}
	d.give(err, false)
	d.fence.raise()
	return nil, err
}

// opening is what became of an attempt to open the database.
type opening struct {
	db  *pebble.DB
	err error
}

// await waits for the opening, or for a while after a write of it failed: Pebble waits for ever for one that failed in
// the background.
func (d *database) await(opened chan opening, log *slog.Logger) error {
	var o opening
	select {
	case o = <-opened:
	case <-d.failed:
		select {
		case o = <-opened:
		case <-time.After(grace):
			d.fence.raise()
			d.fence.dead.Store(true)
			return d.err
		}
	}
	if o.err != nil {
		d.cache.Unref()
		return o.err
	}
	d.DB = o.db
	go d.run()
	select {
	case <-d.failed:
		return errors.Join(d.err, d.close(log))
	default:
		return nil
	}
}

func (d *database) options(opt *Options) *pebble.Options {
	log := &pebbleLog{log: opt.Log, give: d.give}
	o := &pebble.Options{
		FS:                 d.fence,
		Logger:             log,
		Cache:              d.cache,
		MemTableSize:       uint64(opt.MemTableBytes),
		FormatMajorVersion: pebble.FormatValueSeparation,
		// A batch is spread over all conversations, so that each flush overlaps all of the level below: fewer and larger
		// compactions cost less (docs/benchmarks.md), and what reads pay for the files that wait is little, thanks to the
		// filters.
		L0CompactionThreshold:       20,
		L0StopWritesThreshold:       48,
		MemTableStopWritesThreshold: 4,
		LBaseMaxBytes:               8 * opt.MemTableBytes,
		MaxOpenFiles:                openTables + otherFiles,
		// Corruption is an error to whoever reads, not the end of the process.
		EventListener: &pebble.EventListener{
			DataCorruption: func(info pebble.DataCorruptionInfo) { log.Errorf("%s", info) },
		},
	}
	o.TargetFileSizes[0] = tableBytes // twice as much a level further down
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
			d.give(err, errors.Is(err, errPanicked))
		}
		c.done <- err
	}
	close(d.ended)
}

// close frees the database. No view of it may be in use any more.
func (d *database) close(log *slog.Logger) error {
	close(d.work)
	select {
	case <-d.failed:
	default:
		defer d.cache.Unref()
		return guard(d.Close)
	}
	d.fence.raise()
	closed := make(chan error, 1)
	go func() {
		<-d.ended
		if !d.maimed.Load() {
			closed <- guard(d.Close)
		}
	}()
	select {
	case err := <-closed:
		d.cache.Unref()
		return err
	case <-time.After(grace):
		d.fence.dead.Store(true)
		d.cache.Reserve(int(d.cache.MaxSize())) // empties it
		log.Warn("an opening of the ledger failed so that it cannot be closed; the memory of its last writes stays in use")
		return nil
	}
}
