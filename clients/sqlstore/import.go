package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/ws"
)

var (
	// ErrNotEmpty says that the ledger to import into holds something already.
	ErrNotEmpty = errors.New("the database holds something already")
	// ErrImporting says that an import into the ledger has not come to its end.
	ErrImporting = errors.New("an import into this ledger has not ended")
)

// importing stands in the place of the format until an import has come to its end.
const importing = 1 << 30

// importTime is what one statement of an import may take.
const importTime = time.Minute

// Importer takes another ledger's content in, and reads each row back after its commit. It has the ledger to itself.
type Importer struct {
	s       *Store
	tenure  *tenure
	from    *ws.TransferLedger
	waiting []waitingRows
}

// waitingRows are rows that were taken and are not written yet.
type waitingRows struct {
	relation *relation
	known    onKnown
	rows     tuples
	bytes    int
}

// NewImporter makes the tables in the database that opt names, where they are not there, and refuses with ErrNotEmpty if
// they hold anything or are an older program's. From then on until Finish, no node takes the ledger. Close it in any case.
func NewImporter(ctx context.Context, opt Options) (*Importer, error) {
	opt.NoMigrate, opt.StatementTimeout = false, importTime
	opt.Node, opt.Sole = "import", true
	if err := refuseOlder(ctx, opt); err != nil {
		return nil, err
	}
	open, cancel := context.WithTimeout(ctx, reachTime+shareTerm)
	defer cancel()
	s, err := Open(open, opt)
	if err != nil {
		return nil, err
	}
	i := &Importer{s: s}
	if i.tenure, err = s.seat.tenure(); err == nil {
		err = i.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return i, nil
}

// refuseOlder refuses the tables of an older program, before they are brought to the format of this one: its nodes may use them.
func refuseOlder(ctx context.Context, opt Options) (err error) {
	s, err := connectSoon(ctx, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	info, err := s.inform(ctx, s.db)
	if err == nil && info.Format > 0 && info.Format < format {
		err = fmt.Errorf("%w: tables of format %d, where this program makes %d: an older program's, or of an import that was cut short; import into an empty database",
			ErrNotEmpty, info.Format, format)
	}
	return err
}

func (i *Importer) begin(ctx context.Context) error {
	for _, r := range []*relation{
		users, devices, tokens, conversations, members, messages, dedups, cursors, receivers, receipts, scheduled, events,
	} {
		query := "SELECT COUNT(*) FROM (SELECT 1 FROM " + r.name + " LIMIT 2) AS found"
		count := 0
		if err := i.s.db.QueryRowContext(ctx, query).Scan(&count); err != nil {
			return err
		}
		if count > 1 || count == 1 && r != conversations { // one conversation is the system's
			return fmt.Errorf("%w: %s has rows; import into an empty database", ErrNotEmpty, r.name)
		}
	}
	return i.within(ctx, func(tx *transaction) error {
		return tx.exec(fmt.Sprintf("UPDATE yanlink_ledger SET format = %d", importing))
	})
}

// within runs fn in a transaction, as long as nobody else has the ledger.
func (i *Importer) within(ctx context.Context, fn func(tx *transaction) error) error {
	return i.s.within(ctx, func(tx *transaction) error {
		if err := i.s.seat.admit(tx, i.tenure); err != nil {
			return err
		}
		return fn(tx)
	})
}

// Take takes one thing in. It is written together with others, in the order of their coming for each table.
func (i *Importer) Take(ctx context.Context, t *ws.Transfer) error {
	var rows tuples
	switch {
	case t.Ledger != nil:
		i.from = t.Ledger
		return nil
	case t.User != nil:
		rows.addUser(&t.User.User, t.User.RevokedAt)
		return i.add(ctx, users, fail, rows)
	case t.Device != nil:
		rows.addDevice(t.Device)
		return i.add(ctx, devices, fail, rows)
	case t.Token != nil:
		rows.addToken(t.Token)
		return i.add(ctx, tokens, fail, rows)
	case t.Conversation != nil:
		rows.addConversation(t.Conversation)
		return i.add(ctx, conversations, change, rows) // the system's is there
	case t.Stay != nil:
		rows.addStay(t.Stay)
		return i.add(ctx, members, fail, rows)
	case t.Receipt != nil:
		return i.takeReceipt(ctx, t.Receipt)
	}
	return i.takeMessage(ctx, t)
}

// takeReceipt takes also who has one.
func (i *Importer) takeReceipt(ctx context.Context, r *ws.Receipt) error {
	var rows, receiver tuples
	receiver.add(int64(r.Conversation), r.User, r.Device)
	rows.addReceipt(r)
	return errors.Join(i.add(ctx, receivers, keep, receiver), i.add(ctx, receipts, fail, rows))
}

func (i *Importer) takeMessage(ctx context.Context, t *ws.Transfer) error {
	var rows tuples
	switch {
	case t.Record != nil:
		rows.addRecord(&t.Record.Record, t.Record.Recall)
		return i.add(ctx, messages, fail, rows)
	case t.Dedup != nil:
		d := t.Dedup
		rows.addDedup(dedupRef{d.Conversation, d.Sender, d.MsgID}, dedup{dedupState(d.State), d.Number, d.Hash})
		return i.add(ctx, dedups, fail, rows)
	case t.Cursor != nil:
		rows.addCursor(t.Cursor.DeviceRef, &t.Cursor.Cursor, t.Cursor.Covered)
		return i.add(ctx, cursors, fail, rows)
	case t.Scheduled != nil:
		rows.addScheduled(t.Scheduled)
		return i.add(ctx, scheduled, fail, rows)
	case t.Event != nil:
		rows.addEvent(t.Event)
		return i.add(ctx, events, fail, rows)
	}
	return errors.New("what comes is of a kind that this program does not know; import with the program that exported")
}

// add has a row wait for others of its table.
func (i *Importer) add(ctx context.Context, r *relation, known onKnown, row tuples) error {
	at := -1
	for n := range i.waiting {
		if i.waiting[n].relation == r {
			at = n
		}
	}
	if at < 0 {
		at = len(i.waiting)
		i.waiting = append(i.waiting, waitingRows{relation: r, known: known})
	}
	w := &i.waiting[at]
	w.rows.add(row.values...)
	w.bytes += sizeOfAll(row.values)
	if w.rows.len() < chunkRows && w.bytes < chunkBytes {
		return nil
	}
	return i.write(ctx, w)
}

// write commits the rows that wait, and reads them back.
func (i *Importer) write(ctx context.Context, w *waitingRows) error {
	ctx, cancel := context.WithTimeout(ctx, importTime)
	defer cancel()
	err := i.within(ctx, func(tx *transaction) error { return tx.put(w.relation, &w.rows, w.known) })
	if err != nil {
		return fmt.Errorf("write %s: %w", w.relation.name, err)
	}
	if err := i.s.verify(ctx, w.relation, &w.rows); err != nil {
		return err
	}
	w.rows, w.bytes = tuples{}, 0
	return nil
}

// Finish writes what still waits, has the ledger go on with the numbers, the epoch and the secret of the other one, and gives it
// free.
func (i *Importer) Finish(ctx context.Context) error {
	if i.from == nil {
		return errors.New("what came does not say of which ledger it is")
	}
	for n := range i.waiting {
		if err := i.write(ctx, &i.waiting[n]); err != nil {
			return err
		}
	}
	if _, err := i.s.db.ExecContext(ctx, i.s.dialect.nextEvent(max(i.from.NextEvent, 1))); err != nil {
		return fmt.Errorf("number the events: %w", err)
	}
	return i.within(ctx, func(tx *transaction) error {
		set := tx.dialect.bind("UPDATE yanlink_counters SET next_id = ? WHERE name = ?")
		return errors.Join(
			tx.exec(set, int64(i.from.NextConversation), []byte("conversation")),
			tx.exec(set, int64(i.from.NextScheduled), []byte("scheduled")),
			tx.exec(tx.dialect.bind("UPDATE yanlink_ledger SET format = ?, epoch = ?, secret = COALESCE(?, secret)"),
				int64(format), int64(i.from.Info.Epoch), secretOf(i.from)),
		)
	})
}

// secretOf is the secret of the ledger that comes; nil if it has none yet, and this one keeps its own.
func secretOf(from *ws.TransferLedger) []byte {
	if from.Secret == (ws.Secret{}) {
		return nil
	}
	return from.Secret[:]
}

// Close ends the importer. Without Finish before, the ledger is of no use: drop the database.
func (i *Importer) Close() error { return i.s.Close() }
