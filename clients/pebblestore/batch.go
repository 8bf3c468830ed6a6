package pebblestore

import "github.com/cockroachdb/pebble/v2"

// batch is what one commit writes, with buffers that are used again for each key and value.
type batch struct {
	*pebble.Batch
	key, value []byte
}

// set writes the key and the value that stand in the buffers.
func (b *batch) set(key, value []byte) error {
	b.key, b.value = key, value
	return b.Set(key, value, nil)
}

func (b *batch) del(key []byte) error {
	b.key = key
	return b.Delete(key, nil)
}

// k and v return the emptied buffers, for building the next key and value in.
func (b *batch) k() []byte { return b.key[:0] }
func (b *batch) v() []byte { return b.value[:0] }
