package pebblestore

import "github.com/cockroachdb/pebble/v2"

// row is one row of a table as the committer knows it: with what is stored, and what the batch being built has made
// of it. A row that is not stored is known as such too, which saves asking again.
type row[K comparable, V any] struct {
	key    K
	val    V
	exists bool
	dirty  bool
}

// table is the committer's write-through memory of one kind of record: rows are read once, changed in place while a
// batch is built, written once for each batch, and forgotten if the batch fails. Only the committer uses it.
type table[K comparable, V any] struct {
	rows  map[K]*row[K, V]
	dirty []*row[K, V]
	limit int // rows kept from batch to batch

	load func(r pebble.Reader, key K) (V, bool, error)
	// own returns a key whose strings are not part of a larger one that would be kept in memory with it.
	own   func(key K) K
	write func(b *batch, r *row[K, V]) error
}

// get returns the row of key. It stays valid until the end of the batch.
func (t *table[K, V]) get(db pebble.Reader, key K) (*row[K, V], error) {
	if r, ok := t.rows[key]; ok {
		return r, nil
	}
	val, exists, err := t.load(db, key)
	if err != nil {
		return nil, err
	}
	if t.limit > 0 {
		key = t.own(key)
	}
	r := &row[K, V]{key: key, val: val, exists: exists}
	t.rows[key] = r
	return r, nil
}

// touch says that the row was changed and is to be written.
func (t *table[K, V]) touch(r *row[K, V]) {
	if !r.dirty {
		r.dirty = true
		t.dirty = append(t.dirty, r)
	}
}

// put makes the row exist with val.
func (t *table[K, V]) put(r *row[K, V], val V) {
	r.val, r.exists = val, true
	t.touch(r)
}

// remove makes the row not exist.
func (t *table[K, V]) remove(r *row[K, V]) {
	r.exists = false
	t.touch(r)
}

func (t *table[K, V]) flush(b *batch) error {
	for _, r := range t.dirty {
		if err := t.write(b, r); err != nil {
			return err
		}
	}
	return nil
}

// settle is called when the batch is durable.
func (t *table[K, V]) settle() {
	for _, r := range t.dirty {
		r.dirty = false
	}
	t.reset()
	if t.limit == 0 {
		clear(t.rows)
	}
	for key := range t.rows {
		if len(t.rows) <= t.limit {
			break
		}
		delete(t.rows, key) // a random one, as maps iterate at random; all are clean here
	}
}

// rollback is called when the batch is not known to be durable.
func (t *table[K, V]) rollback() {
	for _, r := range t.dirty {
		delete(t.rows, r.key)
	}
	t.reset()
}

func (t *table[K, V]) reset() {
	clear(t.dirty)
	t.dirty = t.dirty[:0]
}
