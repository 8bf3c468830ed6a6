package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/clients/pebblestore"
)

// unsupported lists the drivers that are valid and that this version does not have yet.
func (b *Bundle) unsupported() (problems []string) {
	for _, choice := range []struct{ key, given, valid, have string }{
		{"store.driver", b.cfg.Store.Driver, "mysql postgres", "pebble"},
		{"registry.driver", b.cfg.Registry.Driver, "redis", "memory"},
		{"bus.driver", b.cfg.Bus.Driver, "rocketmq", "memory"},
		{"discovery.driver", b.cfg.Discovery.Driver, "nacos", "none"},
	} {
		if choice.key == "store.driver" && b.opt.store != nil {
			continue // the host's own is used
		}
		if slices.Contains(strings.Fields(choice.valid), choice.given) {
			problems = append(problems, fmt.Sprintf("%s: %s is not in this version; use %s", choice.key, choice.given, choice.have))
		}
	}
	return problems
}

// openStore opens the ledger that store.driver names, unless the host gave one.
func (b *Bundle) openStore() error {
	if b.opt.store != nil {
		b.store = b.opt.store
		return nil
	}
	return b.openPebble()
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
