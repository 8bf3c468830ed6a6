package pebblestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/yanlink/yanlink/ws"
)

// Check reads the whole ledger in dir, which no server may have open, and changes nothing. It calls report with one line
// for each invariant that does not hold, and counts them in LedgerSummary.Broken. The error says that the ledger could not be
// read at all, or not to its end. A nil fs means the machine's.
func Check(ctx context.Context, dir string, fs vfs.FS, report func(line string)) (sum ws.LedgerSummary, err error) {
	err = reading(dir, fs, func(db *pebble.DB) error {
		c := &checker{db: db, dir: dir, report: report}
		err := c.run(ctx)
		sum = c.sum
		return err
	})
	return sum, err
}

// checker goes through all keys once, in their order, and looks up what each has to agree with.
type checker struct {
	db     *pebble.DB
	dir    string
	report func(line string)
	sum    ws.LedgerSummary

	counters counters
	// The conversation looked up last, since most neighbours belong to the same one.
	last      ws.Conversation
	lastFound bool
	records   records
	receipt   ws.Receipt // the one before, to see runs that overlap
}

func (c *checker) run(ctx context.Context) error {
	for _, step := range []func() error{c.open, c.secret} {
		if err := step(); err != nil {
			return err
		}
	}
	var kind byte
	err := eachKey(ctx, c.db, func(key, value []byte) error {
		if key[0] != kind {
			if err := c.endRecords(); err != nil {
				return err
			}
			kind = key[0]
		}
		return c.check(key, value)
	})
	return errors.Join(err, c.endRecords())
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

// secret looks whether the ledger has one, as those of the first format have not.
func (c *checker) secret() error {
	_, ok, err := loadSecret(c.db)
	switch {
	case errors.Is(err, errCorrupt):
		c.broken("the secret has another length than %d bytes", len(ws.Secret{}))
		return nil
	case err == nil && !ok && c.sum.Info.Format >= secretFormat:
		c.broken("the secret is missing")
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
	if kind == kindLedger || kind == kindCounters || kind == kindSecret {
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
