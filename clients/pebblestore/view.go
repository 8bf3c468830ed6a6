package pebblestore

import (
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// view is what readers see: the state after the last commit that is durable. Pebble shows a batch before it is on the
// disk, and what a reader saw must survive a power cut.
//
// The newest view is replaced with each commit, so no old one outlives its readers and holds up compactions; that of an
// idle store is no burden, since nothing newer than it is there.
type view struct {
	*pebble.Snapshot
	db   *database
	refs atomic.Int64
}

func newView(d *database) *view {
	d.views.Add(1)
	v := &view{Snapshot: d.NewSnapshot(), db: d}
	v.refs.Store(1)
	return v
}

// acquire returns false if the view is gone already.
func (v *view) acquire() bool {
	for {
		n := v.refs.Load()
		if n == 0 {
			return false
		}
		if v.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (v *view) release() {
	if v.refs.Add(-1) > 0 {
		return
	}
	defer v.db.views.Done()
	if err := guard(v.Close); err != nil {
		v.db.give(err, true)
	}
}
