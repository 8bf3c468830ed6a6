package pebblestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/yanlink/yanlink/ws"
)

// epochBatch is how many rows a new epoch changes at a time.
const epochBatch = 10_000

// NewEpoch begins a new epoch of the ledger in dir, and returns what the ledger then says of itself. It is for a ledger that
// was restored from a backup and lacks commits: no id is given twice, and clients learn that the positions they remember
// are void. No server may have it open. Cut short, it is to be called again, which does no harm. A nil fs means the machine's.
func NewEpoch(ctx context.Context, dir string, fs vfs.FS) (info ws.LedgerInfo, err error) {
	opt := Options{Dir: dir, FS: fs}
	opt.defaults()
	lock, err := lockLedger(&opt)
	if err != nil {
		return info, err
	}
	if err := lock.Close(); err != nil {
		return info, err
	}
	s, err := Open(ctx, opt)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.takeTurn(ctx); err != nil {
		return info, err
	}
	defer func() { s.turn <- struct{}{} }()
	err = guard(func() (err error) {
		e := &epochs{ctx: ctx, db: s.db.DB, batch: batch{Batch: s.db.NewBatch()}}
		info, err = e.begin(s.info)
		return err
	})
	if err != nil {
		err = fmt.Errorf("begin a new epoch: %w", err)
	}
	return info, err
}

// epochs moves on what has been counted, so that nothing of the lost time is given a second time: positions, ids, and
// device epochs. What cursors and receipts say of lost positions does no harm: no record will stand there.
type epochs struct {
	ctx   context.Context
	db    *pebble.DB
	batch batch
}

// begin raises the epoch last, together with the counters: until then the ledger has only skipped some positions.
func (e *epochs) begin(info ws.LedgerInfo) (ws.LedgerInfo, error) {
	if err := errors.Join(e.conversations(), e.devices()); err != nil {
		return info, err
	}
	var c counters
	_, err := lookup(e.db, []byte{kindCounters}, func(value []byte) (err error) {
		c, err = decodeCounters(value)
		return err
	})
	if err != nil {
		return info, err
	}
	info.Epoch++
	c = counters{conversation: c.conversation + ws.EpochStep, scheduled: c.scheduled + ws.EpochStep, event: c.event + ws.EpochStep}
	return info, errors.Join(
		e.batch.set(append(e.batch.k(), kindCounters), encodeCounters(e.batch.v(), c)),
		e.batch.set(append(e.batch.k(), kindLedger), encodeLedger(e.batch.v(), info)),
		e.commit(),
	)
}

func (e *epochs) conversations() error {
	return scan(e.db, []byte{kindConversation}, func(rest, value []byte) (bool, error) {
		id, err := decodeID(kindConversation, rest)
		if err != nil {
			return false, err
		}
		c, err := decodeConversation(id, value)
		if err != nil {
			return false, err
		}
		c.Last += ws.EpochStep
		return true, e.write(conversationKey(e.batch.k(), id), encodeConversation(e.batch.v(), &c))
	})
}

func (e *epochs) devices() error {
	return scan(e.db, []byte{kindDevice}, func(rest, value []byte) (bool, error) {
		d := &decoder{rest: rest}
		ref := ws.DeviceRef{User: d.name(), Device: string(d.rest)}
		v, err := decodeDevice(ref, value)
		if err != nil || d.bad {
			return false, errors.Join(err, corrupt(kindDevice))
		}
		v.Epoch += ws.EpochStep
		return true, e.write(deviceKey(e.batch.k(), ref), encodeDevice(e.batch.v(), &v))
	})
}

func (e *epochs) write(key, value []byte) error {
	if err := e.batch.set(key, value); err != nil {
		return err
	}
	if len(e.batch.writes) < epochBatch {
		return nil
	}
	return errors.Join(e.ctx.Err(), e.commit())
}

func (e *epochs) commit() error {
	if err := errors.Join(e.batch.seal(), e.batch.Commit(pebble.Sync)); err != nil {
		return err
	}
	e.batch.Batch = e.db.NewBatch()
	return nil
}
