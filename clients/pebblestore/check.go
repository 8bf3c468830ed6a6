package pebblestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/yanlink/yanlink/ws"
)

// Summary is what Check looked at, and how many things it found wrong.
type Summary struct {
	Info                   ws.LedgerInfo
	Users, Devices, Tokens int
	Conversations, Stays   int
	Records, Dedups        int
	Cursors, Receipts      int
	Scheduled, Events      int
	Broken                 int
}

// Check reads the whole ledger in dir, which no server may have open, and changes nothing. It calls report with one line
// for each invariant that does not hold, and counts them in Summary.Broken. The error says that the ledger could not be
// read at all, or not to its end. A nil fs means the machine's.
func Check(ctx context.Context, dir string, fs vfs.FS, report func(line string)) (sum Summary, err error) {
	opt := Options{Dir: dir, FS: fs}
	opt.defaults()
	log := &pebbleLog{log: opt.Log, give: func(error, bool) {}}
	if _, err := opt.FS.Stat(opt.FS.PathJoin(dir, "LOCK")); err != nil {
		return sum, fmt.Errorf("%w: %s is no ledger: %w", ErrForeign, dir, err)
	}
	lock, err := pebble.LockDirectory(dir, opt.FS)
	if err != nil {
		return sum, fmt.Errorf("%w: %s; stop the server first, or check a copy: %w", ErrLocked, dir, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	err = guard(func() error {
		db, err := pebble.Open(dir, &pebble.Options{
			FS: opt.FS, Lock: lock, ReadOnly: true, ErrorIfNotExists: true, Logger: log, CacheSize: opt.CacheBytes,
			// The filters are there in the files; naming them here is what makes Pebble use them.
			Filters:       map[string]pebble.FilterPolicy{bloom.FilterPolicy(10).Name(): bloom.FilterPolicy(10)},
			EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
		})
		if err != nil {
			return explain(&opt, err)
		}
		c := &checker{db: db, dir: dir, report: report}
		err = errors.Join(c.run(ctx), db.Close())
		sum = c.sum
		if pebble.IsCorruptionError(err) {
			err = explain(&opt, err)
		}
		return err
	})
	return sum, err
}

// checker goes through all keys once, in their order, and looks up what each has to agree with.
type checker struct {
	db     *pebble.DB
	dir    string
	report func(line string)
	sum    Summary

	counters counters
	// The conversation looked up last, since most neighbours belong to the same one.
	last      ws.Conversation
	lastFound bool
	records   records
	receipt   ws.Receipt // the one before, to see runs that overlap
}

func (c *checker) run(ctx context.Context) error {
	if err := c.open(); err != nil {
		return err
	}
	it, err := c.db.NewIter(nil)
	if err != nil {
		return err
	}
	var kind byte
	for ok := it.First(); ok; ok = it.Next() {
		if err = ctx.Err(); err != nil {
			break
		}
		var value []byte
		if value, err = it.ValueAndErr(); err != nil {
			break
		}
		key := it.Key()
		if key[0] != kind {
			if err = c.endRecords(); err != nil {
				break
			}
			kind = key[0]
		}
		if err = c.check(key, value); err != nil {
			break
		}
	}
	return errors.Join(err, c.endRecords(), it.Error(), it.Close())
}

func (c *checker) open() (err error) {
	ok, err := lookup(c.db, []byte{kindLedger}, func(value []byte) (err error) {
		c.sum.Info, err = decodeLedger(value)
		return err
	})
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: %s is no ledger", ErrForeign, c.dir)
	case c.sum.Info.Format > format:
		return fmt.Errorf("%w: it has number %d, and this program knows %d", ErrNewerFormat, c.sum.Info.Format, format)
	}
	ok, err = lookup(c.db, []byte{kindCounters}, func(value []byte) (err error) {
		c.counters, err = decodeCounters(value)
		return err
	})
	if err == nil && !ok {
		c.broken("the counters are missing")
	}
	return err
}

// broken reports one thing that is wrong.
func (c *checker) broken(text string, args ...any) {
	c.sum.Broken++
	c.report(fmt.Sprintf(text, args...))
}

// check checks one key. A value that does not decode is reported and passed over.
func (c *checker) check(key, value []byte) error {
	checks := map[byte]func(d *decoder, value []byte) error{
		kindUser: c.user, kindDevice: c.device, kindEphemeral: c.ephemeral, kindToken: c.token,
		kindConversation: c.conversation, kindName: c.name, kindStays: c.stays, kindMember: c.member,
		kindRecord: c.record, kindDedup: c.dedup, kindCursor: c.cursor, kindReceipt: c.receipts,
		kindScheduled: c.scheduled, kindDue: c.due, kindEvent: c.event, kindLease: c.lease,
	}
	kind := key[0]
	if kind == kindLedger || kind == kindCounters {
		return nil
	}
	check, ok := checks[kind]
	if !ok {
		c.broken("a key of an unknown kind: %q", key)
		return nil
	}
	d := &decoder{rest: key[1:]}
	err := check(d, value)
	if errors.Is(err, errCorrupt) {
		c.broken("a %s does not decode, or one it belongs to: key %q", kindNames[kind], key)
		return nil
	}
	return err
}

// find returns a conversation by id.
func (c *checker) find(id ws.ConversationID) (*ws.Conversation, bool, error) {
	if c.last.ID == id && id != 0 {
		return &c.last, c.lastFound, nil
	}
	found, ok, err := loadConversation(c.db, id)
	if err != nil {
		return nil, false, err
	}
	c.last, c.lastFound = found, ok
	c.last.ID = id
	return &c.last, ok, nil
}
