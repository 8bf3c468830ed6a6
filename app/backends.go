package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/clients/sqlstore"
)

// openStore opens the ledger that store.driver names, unless the host gave one.
func (b *Bundle) openStore() error {
	switch {
	case b.opt.store != nil:
		b.store = b.opt.store
		return nil
	case b.cfg.Store.Driver == "pebble":
		return b.openPebble()
	}
	return b.openSQL()
}

func (b *Bundle) openSQL() error {
	store, err := sqlstore.Open(b.opt.starting, b.sqlOptions())
	if err != nil {
		return fmt.Errorf("store.dsn: %w", err)
	}
	b.store = store
	b.onStop("close the ledger", store.Close)
	return nil
}

func (b *Bundle) sqlOptions() sqlstore.Options {
	cfg := b.cfg.Store
	return sqlstore.Options{
		Driver: cfg.Driver, DSN: cfg.DSN, DB: b.opt.db, MaxConns: cfg.MaxConns, NoMigrate: cfg.Migrate == "off",
		StartTimeout: cfg.StartTimeout, AllowUnsafe: cfg.AllowUnsafe, Log: b.log.With("component", "ledger"),
		Node: b.nodeID(), Sole: b.cfg.Registry.Driver == "memory", // no other node would learn who is connected here
	}
}

func (b *Bundle) openPebble() error {
	cfg := b.cfg.Store
	minFree := cfg.MinFreeBytes
	if minFree == 0 {
		minFree = -1 // no check
	}
	store, err := pebblestore.Open(context.Background(), pebblestore.Options{
		Dir: cfg.Dir, CacheBytes: cfg.CacheBytes, MemTableBytes: cfg.BufferBytes, MinFree: minFree, Log: b.log.With("component", "ledger"),
	})
	if err != nil {
		return fmt.Errorf("store.dir: %w", err)
	}
	b.store = store
	b.onStop("close the ledger", store.Close)
	return nil
}

// cleanup undoes one thing that New did.
type cleanup struct {
	name string
	do   func() error
}

// onStop notes how to undo what was just done.
func (b *Bundle) onStop(name string, do func() error) {
	b.cleanups = append(b.cleanups, cleanup{name, do})
}

// cleanUp undoes what New did, the last first.
func (b *Bundle) cleanUp() error {
	var errs []error
	for i := len(b.cleanups) - 1; i >= 0; i-- {
		if err := b.cleanups[i].do(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.cleanups[i].name, err))
		}
	}
	b.cleanups = nil
	return errors.Join(errs...)
}
