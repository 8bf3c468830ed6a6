package pebblestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// reading runs work on the ledger in dir, which no server may have open, and which it cannot change.
func reading(dir string, fs vfs.FS, work func(db *pebble.DB) error) (err error) {
	opt := Options{Dir: dir, FS: fs}
	opt.defaults()
	log := &pebbleLog{log: opt.Log, give: func(error, bool) {}}
	lock, err := lockLedger(&opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return guard(func() error {
		db, err := pebble.Open(dir, &pebble.Options{
			FS: opt.FS, Lock: lock, ReadOnly: true, ErrorIfNotExists: true, Logger: log, CacheSize: opt.CacheBytes,
			// The filters are there in the files; naming them here is what makes Pebble use them.
			Filters:       map[string]pebble.FilterPolicy{bloom.FilterPolicy(10).Name(): bloom.FilterPolicy(10)},
			EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
		})
		if err != nil {
			return explain(&opt, err)
		}
		err = errors.Join(work(db), db.Close())
		if pebble.IsCorruptionError(err) {
			err = explain(&opt, err)
		}
		return err
	})
}

// lockLedger keeps servers from opening the ledger in opt.Dir.
func lockLedger(opt *Options) (*pebble.Lock, error) {
	if _, err := opt.FS.Stat(opt.FS.PathJoin(opt.Dir, "LOCK")); err != nil {
		return nil, fmt.Errorf("%w: %s is no ledger: %w", ErrForeign, opt.Dir, err)
	}
	lock, err := pebble.LockDirectory(opt.Dir, opt.FS)
	if err != nil {
		return nil, fmt.Errorf("%w: %s; stop the server first, or take a copy: %w", ErrLocked, opt.Dir, err)
	}
	return lock, nil
}

// eachKey calls take for all there is, in the order of the keys, until that fails. Both slices are good until it returns.
func eachKey(ctx context.Context, db *pebble.DB, take func(key, value []byte) error) error {
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var value []byte
		if err = ctx.Err(); err != nil {
			break
		}
		if value, err = it.ValueAndErr(); err == nil {
			err = take(it.Key(), value)
		}
	}
	return errors.Join(err, it.Error(), it.Close())
}
