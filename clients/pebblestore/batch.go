package pebblestore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// batch collects what one commit writes, and gives it to Pebble in the order of the keys: inserting neighbours one after
// another saves the memtable most of the search for their place, which is the dearest part of a commit.
type batch struct {
	*pebble.Batch
	writes []write
	bytes  []byte // the keys and values of all writes, one after another

	key, value []byte // buffers
}

// write is one key with its value, as places in the batch's bytes.
type write struct {
	kind               byte
	deletes            bool
	first              uint64 // the key's next eight bytes, which decide most comparisons
	start, middle, end int
}

// k and v return the emptied buffers, for building the next key and value in.
func (b *batch) k() []byte { return b.key[:0] }
func (b *batch) v() []byte { return b.value[:0] }

// set takes a key and a value that stand in the buffers.
func (b *batch) set(key, value []byte) error {
	b.key, b.value = key, value
	b.add(key, value, false)
	return nil
}

func (b *batch) del(key []byte) error {
	b.key = key
	b.add(key, nil, true)
	return nil
}

func (b *batch) add(key, value []byte, deletes bool) {
	w := write{kind: key[0], deletes: deletes, start: len(b.bytes)}
	if len(key) >= 9 {
		w.first = binary.BigEndian.Uint64(key[1:])
	} else {
		var padded [8]byte
		copy(padded[:], key[1:])
		w.first = binary.BigEndian.Uint64(padded[:])
	}
	b.bytes = append(b.bytes, key...)
	w.middle = len(b.bytes)
	b.bytes = append(b.bytes, value...)
	w.end = len(b.bytes)
	b.writes = append(b.writes, w)
}

// seal moves the writes into the Pebble batch; of those to the same key, the order stays.
func (b *batch) seal() error {
	slices.SortStableFunc(b.writes, func(x, y write) int {
		if c := cmp.Compare(x.kind, y.kind); c != 0 {
			return c
		}
		if c := cmp.Compare(x.first, y.first); c != 0 {
			return c
		}
		return bytes.Compare(b.bytes[x.start:x.middle], b.bytes[y.start:y.middle])
	})
	for i := range b.writes {
		w := &b.writes[i]
		key := b.bytes[w.start:w.middle]
		var err error
		if w.deletes {
			err = b.Delete(key, nil)
		} else {
			err = b.Set(key, b.bytes[w.middle:w.end], nil)
		}
		if err != nil {
			return err
		}
	}
	b.clear()
	return nil
}

func (b *batch) clear() { b.writes, b.bytes = b.writes[:0], b.bytes[:0] }

// Reset empties the batch for the next commit.
func (b *batch) Reset() {
	b.clear()
	b.Batch.Reset()
}
