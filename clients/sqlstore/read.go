package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// find calls visit for each row whose columns by equal one of keys.
func (s *Store) find(ctx context.Context, r *relation, by []column, keys *tuples, visit func(rows scanner) error) error {
	return s.read(ctx, func(ctx context.Context) error {
		return keys.chunks(func(part tuples) error {
			query, args := s.dialect.pick(r, by, part, false)
			rows, err := s.db.QueryContext(ctx, query, args...)
			return each(rows, err, visit)
		})
	})
}

// User implements ws.Reader.
func (s *Store) User(ctx context.Context, openID string) (ws.User, error) {
	found, err := s.Users(ctx, []string{openID})
	if err == nil && len(found) == 0 {
		err = ws.ErrNotFound
	}
	if err != nil {
		return ws.User{}, err
	}
	return found[0], nil
}

// Users implements ws.Reader.
func (s *Store) Users(ctx context.Context, openIDs []string) (found []ws.User, err error) {
	var keys tuples
	for _, openID := range openIDs {
		keys.add(openID)
	}
	err = s.find(ctx, users, users.key(1), &keys, func(rows scanner) error {
		u, err := scanUser(rows)
		found = append(found, u.User)
		return err
	})
	return found, err
}

// Devices implements ws.Reader.
func (s *Store) Devices(ctx context.Context, user string) (found []ws.Device, err error) {
	query := "SELECT " + names(devices.columns, "") + " FROM yanlink_devices WHERE openid = ? ORDER BY device"
	err = s.query(ctx, devicesTo(&found), query, []byte(user))
	return found, err
}

// IdleDevices implements ws.Reader.
func (s *Store) IdleDevices(ctx context.Context, t ws.Millis, limit int) (found []ws.Device, err error) {
	query := "SELECT " + names(devices.columns, "") + " FROM yanlink_devices WHERE ephemeral = TRUE AND last_seen < ? ORDER BY last_seen LIMIT ?"
	err = s.query(ctx, devicesTo(&found), query, int64(t), limit)
	return found, err
}

func devicesTo(found *[]ws.Device) func(rows scanner) error {
	return func(rows scanner) error {
		d, err := scanDevice(rows)
		*found = append(*found, d)
		return err
	}
}

// Tokens implements ws.Reader.
func (s *Store) Tokens(ctx context.Context, after [32]byte, limit int) (found []ws.Token, err error) {
	query := "SELECT " + names(tokens.columns, "") + " FROM yanlink_tokens WHERE hash > ? ORDER BY hash LIMIT ?"
	err = s.query(ctx, func(rows scanner) error {
		t, err := scanToken(rows)
		found = append(found, t)
		return err
	}, query, after[:], limit)
	return found, err
}

// Record implements ws.Reader.
func (s *Store) Record(ctx context.Context, id ws.MessageID) (*ws.Record, error) {
	var r record
	query := "SELECT " + names(messages.columns, "") + " FROM yanlink_messages WHERE conversation = ? AND seq = ?"
	err := s.one(ctx, func(rows scanner) (err error) {
		r, err = scanRecord(rows)
		return err
	}, query, bounded(id.Conversation), bounded(id.Seq))
	if err != nil {
		return nil, err
	}
	return &r.Record, nil
}

// pageQuery adds up the bodies of the first records and reads those that fit; always the first one.
var pageQuery = "SELECT " + names(messages.columns, "m.") + ` FROM (
		SELECT seq, SUM(body_bytes) OVER (ORDER BY seq) AS total, ROW_NUMBER() OVER (ORDER BY seq) AS place FROM (
			SELECT seq, body_bytes FROM yanlink_messages WHERE conversation = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?
		) AS first
	) AS fits JOIN yanlink_messages AS m ON m.conversation = ? AND m.seq = fits.seq
	WHERE fits.total <= ? OR fits.place = 1 ORDER BY m.seq`

// Page implements ws.Reader.
func (s *Store) Page(ctx context.Context, id ws.ConversationID, from, to uint64, maxCount, maxBytes int) (page []*ws.Record, err error) {
	if to == 0 {
		to = ^uint64(0)
	}
	err = s.query(ctx, func(rows scanner) error {
		r, err := scanRecord(rows)
		page = append(page, &r.Record)
		return err
	}, pageQuery, bounded(id), bounded(from), bounded(to), max(maxCount, 1), bounded(id), maxBytes)
	return page, err
}

// Dedup implements ws.Reader.
func (s *Store) Dedup(ctx context.Context, id ws.ConversationID, sender, msgid string) (seq uint64, err error) {
	err = s.one(ctx, func(rows scanner) error { return rows.Scan(number(&seq)) },
		"SELECT number FROM yanlink_dedup WHERE conversation = ? AND sender = ? AND msgid = ? AND state = ?",
		bounded(id), []byte(sender), []byte(msgid), int64(dedupSent))
	return seq, err
}

func receiptsTo(found *[]ws.Receipt) func(rows scanner) error {
	return func(rows scanner) error {
		r, err := scanReceipt(rows)
		*found = append(*found, r)
		return err
	}
}

// ReceiptsAfter implements ws.Reader.
func (s *Store) ReceiptsAfter(ctx context.Context, device ws.DeviceRef, id ws.ConversationID, seq uint64) (found []ws.Receipt, err error) {
	ref := cursorRef{device, id}
	query := "SELECT * FROM (" + latestReceipt + " UNION ALL " + laterReceipts + ") AS found WHERE to_seq > ? ORDER BY from_seq"
	args := append(receiptArgs(ref, seq), receiptArgs(ref, seq, ^uint64(0))...)
	err = s.query(ctx, receiptsTo(&found), query, append(args, bounded(seq))...)
	return found, err
}

// ReceiptsOf implements ws.Reader. It looks up, for each device that has any, the last receipt that begins at or before the
// position: receipts of a device do not overlap, so no other one can cover it.
func (s *Store) ReceiptsOf(ctx context.Context, id ws.MessageID) (found []ws.Receipt, err error) {
	var of, keys tuples
	of.add(bounded(id.Conversation))
	if err := s.find(ctx, receivers, receivers.key(1), &of, receiversTo(&keys, bounded(id.Seq))); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(ctx context.Context) error {
		return keys.parts(lookups, func(part tuples) error {
			query, args := s.dialect.latest(part)
			rows, err := s.db.QueryContext(ctx, query, args...)
			return each(rows, err, receiptsTo(&found))
		})
	})
	found = slices.DeleteFunc(found, func(r ws.Receipt) bool { return r.To < id.Seq })
	slices.SortFunc(found, func(a, b ws.Receipt) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Device, b.Device)) })
	return found, err
}

// DueScheduled implements ws.Reader.
func (s *Store) DueScheduled(ctx context.Context, t ws.Millis, limit int) (due []ws.Scheduled, err error) {
	query := "SELECT " + names(scheduled.columns, "") + " FROM yanlink_scheduled WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
	err = s.query(ctx, func(rows scanner) error {
		item, err := scanScheduled(rows)
		due = append(due, item)
		return err
	}, query, int64(t), limit)
	return due, err
}

// Events implements ws.Reader. The database numbers events as they are written: one with a lower number may be seen after
// one with a higher number if two nodes wrote them at the same time.
func (s *Store) Events(ctx context.Context, state ws.EventState, after uint64, limit int) (found []ws.Event, err error) {
	// The state as bounds: for an equal one MariaDB may read all of its index from the first event on.
	query := "SELECT " + names(events.columns, "") + " FROM yanlink_outbox WHERE state >= ? AND state <= ? AND id > ? ORDER BY state, id LIMIT ?"
	err = s.query(ctx, func(rows scanner) error {
		e, err := scanEvent(rows)
		found = append(found, e)
		return err
	}, query, int64(state), int64(state), bounded(after), limit)
	return found, err
}
