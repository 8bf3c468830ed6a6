package pebblestore

import (
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// dedupFilter knows of most msgids that they were never used, without asking the database: nearly every message is a
// first one, and that question was a quarter of what a commit costs. It is a Bloom filter whose bits for one key share
// a cache line. Keys are only ever added, so that one filter serves every opening of the ledger. Safe for concurrent use.
type dedupFilter struct {
	seed   maphash.Seed
	blocks [][8]uint64
	whole  atomic.Bool // every key of the ledger was added
	key    []byte      // the committer's buffer
}

func newDedupFilter(bytes int64) *dedupFilter {
	return &dedupFilter{seed: maphash.MakeSeed(), blocks: make([][8]uint64, max(1, bytes/64))}
}

// place returns the key's block, and the six places of nine bits each that it has there.
func (f *dedupFilter) place(key []byte) (block *[8]uint64, places uint64) {
	h := maphash.Bytes(f.seed, key)
	const mix = 0x9e3779b97f4a7c15 // makes places of the bits that the block's number leaves over
	return &f.blocks[h>>32*uint64(len(f.blocks))>>32], h * mix >> 10
}

func (f *dedupFilter) add(key []byte) {
	block, places := f.place(key)
	for range 6 {
		atomic.OrUint64(&block[places>>6&7], 1<<(places&63))
		places >>= 9
	}
}

// never reports whether the key is certain not to be in the ledger.
func (f *dedupFilter) never(key []byte) bool {
	if !f.whole.Load() {
		return false
	}
	block, places := f.place(key)
	for range 6 {
		if atomic.LoadUint64(&block[places>>6&7])&(1<<(places&63)) == 0 {
			return true
		}
		places >>= 9
	}
	return false
}

// load reads a dedup key's row for the committer.
func (f *dedupFilter) load(r pebble.Reader, ref dedupRef) (dedup, bool, error) {
	f.key = dedupKey(f.key[:0], ref.id, ref.sender, ref.msgid)
	if f.never(f.key) {
		return dedup{}, false, nil
	}
	return loadDedup(r, f.key)
}

// write writes a dedup key's row for the committer. A key that is added and then not committed does no harm.
func (f *dedupFilter) write(b *batch, r *row[dedupRef, dedup]) error {
	key := dedupKey(b.k(), r.key.id, r.key.sender, r.key.msgid)
	f.add(key)
	return b.set(key, encodeDedup(b.v(), r.val))
}

var errClosing = errors.New("the store is being closed")

// fill adds the keys that are in the ledger already; those of every later commit are added with it. It ends when all
// are in, or the store is closed.
func (s *Store) fill() {
	for {
		if err := s.fillOnce(); err == nil {
			s.filter.whole.Store(true)
			return
		}
		select {
		case <-s.closing:
			return
		case <-time.After(time.Second):
		}
	}
}

func (s *Store) fillOnce() error {
	v := s.view.Load()
	if v == nil || !v.acquire() {
		return errClosing
	}
	defer v.release()
	return guard(func() error { return s.filter.fill(v, s.closing) })
}

func (f *dedupFilter) fill(r pebble.Reader, closing <-chan struct{}) error {
	var key []byte
	prefix := []byte{kindDedup}
	return scan(r, prefix, func(rest, _ []byte) (bool, error) {
		select {
		case <-closing:
			return false, errClosing
		default:
		}
		key = append(append(key[:0], kindDedup), rest...)
		f.add(key)
		return true, nil
	})
}
