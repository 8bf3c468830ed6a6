package modeltest

import (
	"context"
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// disk is where a ledger lives that outlasts a node.
type disk interface {
	// open opens the ledger as the last crash, if any, has left it.
	open() (ws.Store, error)
	// cut is the crash.
	cut()
	// close closes a ledger that open returned.
	close(ws.Store)
}

// memory is a disk that loses nothing that was committed.
type memory struct{ store *wstest.MemStore }

func (m *memory) open() (ws.Store, error) { return m.store, nil }
func (m *memory) cut()                    {}
func (m *memory) close(ws.Store)          {}

// flash is a disk that loses, in a power cut, a random part of what was not synced.
type flash struct {
	fs   *vfs.MemFS
	rng  *rand.Rand
	left *vfs.MemFS // what the power cut has left; nil: there was none
}

func newFlash(seed uint64) *flash {
	return &flash{fs: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(seed, 3))}
}

func (f *flash) open() (ws.Store, error) {
	if f.left != nil {
		f.fs, f.left = f.left, nil
	}
	store, err := pebblestore.Open(context.Background(), pebblestore.Options{
		Dir: "ledger", FS: f.fs, CacheBytes: 1 << 20, MemTableBytes: 32 << 10, MinFree: -1,
	})
	if err != nil {
		return nil, err
	}
	return store, nil
}

func (f *flash) cut() {
	f.left = f.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: f.rng.IntN(101), RNG: f.rng})
}

func (f *flash) close(s ws.Store) { _ = s.Close() }

// quickDisk is the disk of a run where nothing else is asked for: most runs are quick ones in memory.
func quickDisk(seed uint64) disk {
	if *pebbles > 0 && seed%uint64(*pebbles) == 0 {
		return newFlash(seed)
	}
	return &memory{store: wstest.NewMemStore()}
}
