package pebblestore

import (
	"context"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/yanlink/yanlink/ws"
)

// Export calls give with all that the ledger in dir holds, which no server may have open, and changes nothing; what the
// ledger says of itself comes first. Indexes and leases stay where they are: the ledger that takes it in has its own. A nil
// fs means the machine's.
func Export(ctx context.Context, dir string, fs vfs.FS, give func(t *ws.Transfer) error) error {
	return reading(dir, fs, func(db *pebble.DB) error {
		e := &exporter{db: db, dir: dir, give: give}
		return e.run(ctx)
	})
}

// exporter goes through all keys once, in their order.
type exporter struct {
	db   *pebble.DB
	dir  string
	give func(t *ws.Transfer) error
}

func (e *exporter) run(ctx context.Context) error {
	if err := e.ledger(); err != nil {
		return err
	}
	return eachKey(ctx, e.db, e.row)
}

func (e *exporter) ledger() error {
	c := &checker{db: e.db, dir: e.dir, report: func(string) {}}
	if err := c.open(); err != nil {
		return err
	}
	if c.sum.Broken > 0 {
		return corrupt(kindCounters)
	}
	secret, _, err := loadSecret(e.db) // one that has none yet gets it where it goes
	return e.given(err, &ws.Transfer{Ledger: &ws.TransferLedger{
		Info: c.sum.Info, Secret: secret, NextConversation: c.counters.conversation, NextScheduled: c.counters.scheduled, NextEvent: c.counters.event,
	}})
}

// row gives what one key holds.
func (e *exporter) row(key, value []byte) error {
	rows := map[byte]func(d *decoder, value []byte) error{
		kindUser: e.user, kindDevice: e.device, kindToken: e.token, kindConversation: e.conversation, kindStays: e.stays,
		kindRecord: e.record, kindDedup: e.dedup, kindCursor: e.cursor, kindReceipt: e.receipt, kindScheduled: e.scheduled, kindEvent: e.event,
	}
	row, ok := rows[key[0]]
	if !ok {
		return nil
	}
	d := &decoder{rest: key[1:]}
	err := row(d, value)
	if err == nil && d.bad {
		err = corrupt(key[0])
	}
	return err
}

func (e *exporter) user(d *decoder, value []byte) error {
	u, err := decodeUser(string(d.rest), value)
	return e.given(err, &ws.Transfer{User: &ws.TransferUser{User: u.User, RevokedAt: u.revokedAt}})
}

func (e *exporter) device(d *decoder, value []byte) error {
	v, err := decodeDevice(ws.DeviceRef{User: d.name(), Device: string(d.rest)}, value)
	return e.given(err, &ws.Transfer{Device: &v})
}

func (e *exporter) token(d *decoder, value []byte) error {
	var hash [32]byte
	copy(hash[:], d.take(len(hash)))
	v, err := decodeToken(hash, value)
	return e.given(err, &ws.Transfer{Token: &v})
}

func (e *exporter) conversation(d *decoder, value []byte) error {
	v, err := decodeConversation(ws.ConversationID(d.fixed()), value)
	return e.given(err, &ws.Transfer{Conversation: &v})
}

func (e *exporter) stays(d *decoder, value []byte) error {
	stays, err := decodeStays(d.name(), ws.ConversationID(d.fixed()), value)
	for i := range stays {
		err = e.given(err, &ws.Transfer{Stay: &stays[i]})
	}
	return err
}

func (e *exporter) record(d *decoder, value []byte) error {
	v, err := decodeRecord(ws.ConversationID(d.fixed()), d.fixed(), value)
	return e.given(err, &ws.Transfer{Record: &ws.TransferRecord{Record: v.Record, Recall: v.recall}})
}

func (e *exporter) dedup(d *decoder, value []byte) error {
	t := &ws.TransferDedup{Conversation: ws.ConversationID(d.fixed()), Sender: d.name(), MsgID: string(d.rest)}
	v, err := decodeDedup(value)
	t.State, t.Number, t.Hash = uint8(v.state), v.n, v.hash
	return e.given(err, &ws.Transfer{Dedup: t})
}

func (e *exporter) cursor(d *decoder, value []byte) error {
	ref := cursorRef{DeviceRef: ws.DeviceRef{User: d.name(), Device: d.name()}, id: ws.ConversationID(d.fixed())}
	v, err := decodeCursor(ref.id, value)
	if err != nil {
		return err
	}
	covered, err := lastReceipt(e.db, ref)
	return e.given(err, &ws.Transfer{Cursor: &ws.TransferCursor{DeviceRef: ref.DeviceRef, Cursor: v, Covered: covered}})
}

func (e *exporter) receipt(d *decoder, value []byte) error {
	id := ws.ConversationID(d.fixed())
	ref := ws.DeviceRef{User: d.name(), Device: d.name()}
	v, err := decodeReceipt(id, ref, d.fixed(), value)
	return e.given(err, &ws.Transfer{Receipt: &v})
}

func (e *exporter) scheduled(d *decoder, value []byte) error {
	v, err := decodeScheduled(ws.Millis(d.fixed()), d.fixed(), value)
	return e.given(err, &ws.Transfer{Scheduled: &v})
}

func (e *exporter) event(d *decoder, value []byte) error {
	v, err := decodeEvent(ws.EventState(d.byte()), d.fixed(), value)
	return e.given(err, &ws.Transfer{Event: &v})
}

// given gives t unless something went wrong before.
func (e *exporter) given(err error, t *ws.Transfer) error {
	if err != nil {
		return err
	}
	return e.give(t)
}
