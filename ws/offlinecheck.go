package ws

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// checkBatch is how many checks are made together, and checkers how many of them at one time.
	checkBatch = 512
	checkers   = 8
)

// offlineChecks finds out, a while after a message was stored, which of its recipients have no receipt of it. Each check
// stands in the ledger from the message's own commit on, as an event that is scheduled, so that none is lost.
type offlineChecks struct{ o *outbox }

// check is the row that stands for a check of rec. It is due in the order in which such rows are written, since all wait
// equally long.
func (o *outbox) check(rec *Record) Event {
	return Event{
		Topic: o.opt.Topics.Offline, Key: rec.Conversation.String(), Payload: []byte(rec.ID().String()),
		State: EventScheduled, NextAttemptAt: rec.CreatedAt + millis(o.opt.OfflineAfter),
	}
}

// pass makes the checks that are due. It reports whether there is more to do at once.
func (c *offlineChecks) pass(ctx context.Context) bool {
	g := c.o.g
	read, cancel := context.WithTimeout(ctx, g.opt.CommitTimeout)
	defer cancel()
	rows, more, err := c.due(read)
	if err == nil && len(rows) > 0 {
		err = c.make(ctx, read, rows)
	}
	if err != nil && ctx.Err() == nil {
		g.log.Warn("it was not seen who has not got a message; it is tried again", "error", err)
	}
	return err == nil && more
}

// due returns checks that are due, and whether there may be more behind them. Those that a clock ahead has put off for longer than any
// is hold up none behind them.
func (c *offlineChecks) due(ctx context.Context) (rows []Event, more bool, err error) {
	now := c.o.g.now()
	for after := uint64(0); ; after = rows[len(rows)-1].ID {
		rows, err = c.o.g.store.Events(ctx, EventScheduled, after, checkBatch)
		if err != nil {
			return nil, false, err
		}
		whole := len(rows) == checkBatch
		ready := slices.DeleteFunc(slices.Clone(rows), func(e Event) bool { return e.NextAttemptAt > now })
		if len(ready) > 0 || !whole || rows[len(rows)-1].NextAttemptAt <= now+millis(c.o.opt.OfflineAfter) {
			return ready, whole && len(ready) > 0, nil
		}
	}
}

// make makes checks while read lasts, and writes what came of them together with their end, of those that were made if not all were.
func (c *offlineChecks) make(ctx, read context.Context, rows []Event) error {
	found, made, errs := make([][]Event, len(rows)), make([]bool, len(rows)), make([]error, checkers)
	var working sync.WaitGroup
	for n := range checkers {
		working.Go(func() {
			for i := n; i < len(rows) && errs[n] == nil; i += checkers {
				found[i], errs[n] = c.find(read, &rows[i])
				made[i] = errs[n] == nil
			}
		})
	}
	working.Wait()
	ops := make([]Op, 0, len(rows)+1)
	for i := range rows {
		if made[i] {
			ops = append(ops, &PutEvent{ID: rows[i].ID, State: EventDone})
		}
	}
	if events := slices.Concat(found...); len(events) > 0 {
		ops = append(ops, &AddEvents{Events: events})
	}
	err := errors.Join(errs...)
	if len(ops) > 0 {
		err = errors.Join(err, c.o.commit(ctx, ops...))
	}
	return err
}

// find returns what comes of a check: recipient.offline for each member who was one already, and has neither acknowledged
// the message nor marked it read. Nothing comes of a message that is recalled, expired or purged.
func (c *offlineChecks) find(ctx context.Context, row *Event) ([]Event, error) {
	g := c.o.g
	id, ok := protocol.ParseMessageID(string(row.Payload))
	if !ok {
		g.log.Error("a check in the ledger cannot be read; it is dropped", "event", row.ID)
		return nil, nil
	}
	rec, err := g.store.Record(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && (rec.RecalledAt != 0 || expired(rec, g.now())) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	members, err := g.store.Members(ctx, id.Conversation)
	if err != nil {
		return nil, err
	}
	receipts, err := g.store.ReceiptsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	has := make(map[string]bool, len(receipts))
	for i := range receipts {
		has[receipts[i].User] = true
	}
	var events []Event
	for i := range members {
		m := &members[i]
		if m.User != rec.Sender && m.Covers(id.Seq) && m.Read < id.Seq && !has[m.User] {
			events = append(events, c.o.recipientOffline(rec, m.User))
		}
	}
	return events, nil
}
