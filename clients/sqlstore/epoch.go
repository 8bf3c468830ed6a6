package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// epochTime is what one statement over a whole table may take.
const epochTime = 10 * time.Minute

// moves make sure that nothing of the lost time is given a second time: positions, ids of conversations and scheduled
// messages, and device epochs, of which the registry may remember the lost ones. What cursors and receipts say of lost
// positions does no harm: no record will stand there.
var moves = []string{
	"UPDATE yanlink_counters SET next_id = next_id + ?", // first: nobody takes an id of the lost time from then on
	"UPDATE yanlink_conversations SET last_seq = last_seq + ?",
	"UPDATE yanlink_devices SET epoch = epoch + ?",
}

// unused are conversations that have a number and no more. In the lost time they may have had messages, whose positions they would give
// again: they get another number when they begin.
const unused = "DELETE FROM yanlink_conversations WHERE members_version = 0 AND kind <> 3"

// NewEpoch begins a new epoch of the ledger in the database that opt names, and returns what the ledger then says of
// itself. It is for a database that was restored from a copy, or failed over to one, and lacks commits: no id is given
// twice, and clients learn that the positions they remember are void. It fails with ErrHeld or
// ErrShared while a node has the ledger open, and keeps nodes from starting until it is through.
func NewEpoch(ctx context.Context, opt Options) (info ws.LedgerInfo, err error) {
	opt.NoMigrate, opt.StatementTimeout = true, epochTime
	opt.Node, opt.Sole = "new-epoch", true
	open, cancel := context.WithTimeout(ctx, reachTime+shareTerm)
	defer cancel()
	s, err := Open(open, opt)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.newEpoch(ctx); err != nil {
		return info, fmt.Errorf("begin a new epoch: %w", err)
	}
	return s.inform(ctx, s.db)
}

func (s *Store) newEpoch(ctx context.Context) error {
	t, err := s.seat.tenure()
	if err != nil {
		return err
	}
	return s.within(ctx, func(tx *transaction) error {
		if err := errors.Join(tx.exec(unused), tx.answer()); err != nil {
			return err
		}
		for _, move := range moves {
			if err := tx.exec(s.dialect.bind(move), int64(ws.EpochStep)); err != nil {
				return err
			}
			if err := tx.answer(); err != nil { // each has its own time
				return err
			}
		}
		if err := tx.exec("UPDATE yanlink_ledger SET epoch = epoch + 1"); err != nil {
			return err
		}
		return s.seat.admit(tx, t) // nobody has written meanwhile
	})
}
