package sqlstore

import (
	"context"
	"database/sql"

	"github.com/yanlink/yanlink/ws"
)

// find calls visit for each row whose columns by equal one of keys.
func (s *Store) find(ctx context.Context, r *relation, by []column, keys *tuples, visit func(rows *sql.Rows) error) error {
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
	err = s.find(ctx, users, users.key(1), &keys, func(rows *sql.Rows) error {
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
	query := "SELECT " + names(devices.columns, "") + " FROM yanlink_devices WHERE ephemeral AND last_seen < ? ORDER BY last_seen LIMIT ?"
	err = s.query(ctx, devicesTo(&found), query, int64(t), limit)
	return found, err
}

func devicesTo(found *[]ws.Device) func(rows *sql.Rows) error {
	return func(rows *sql.Rows) error {
		d, err := scanDevice(rows)
		*found = append(*found, d)
		return err
	}
}

// Token implements ws.Reader.
func (s *Store) Token(ctx context.Context, hash [32]byte) (t ws.Token, owner ws.User, err error) {
	query := "SELECT " + names(tokens.columns, "t.") + ", " + names(users.columns[1:], "u.") +
		" FROM yanlink_tokens AS t JOIN yanlink_users AS u ON u.openid = t.openid WHERE t.hash = ?"
	var u user
	err = s.one(ctx, func(rows *sql.Rows) error {
		return rows.Scan(
			hashTo{t.Hash[:]}, &t.OpenID, number(&t.Epoch), number(&t.ExpiresAt), &u.Name, number(&u.FirstSeen), number(&u.LastSeen),
			number(&u.TokenEpoch), number(&u.revokedAt), &u.Banned,
		)
	}, query, hash[:])
	u.OpenID = t.OpenID
	return t, u.User, err
}

// Record implements ws.Reader.
func (s *Store) Record(ctx context.Context, id ws.MessageID) (*ws.Record, error) {
	var r record
	query := "SELECT " + names(messages.columns, "") + " FROM yanlink_messages WHERE conversation = ? AND seq = ?"
	err := s.one(ctx, func(rows *sql.Rows) (err error) {
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
	err = s.query(ctx, func(rows *sql.Rows) error {
		r, err := scanRecord(rows)
		page = append(page, &r.Record)
		return err
	}, pageQuery, bounded(id), bounded(from), bounded(to), max(maxCount, 1), bounded(id), maxBytes)
	return page, err
}

// Dedup implements ws.Reader.
func (s *Store) Dedup(ctx context.Context, id ws.ConversationID, sender, msgid string) (seq uint64, err error) {
	err = s.one(ctx, func(rows *sql.Rows) error { return rows.Scan(number(&seq)) },
		"SELECT number FROM yanlink_dedup WHERE conversation = ? AND sender = ? AND msgid = ? AND state = ?",
		bounded(id), []byte(sender), []byte(msgid), int64(dedupSent))
	return seq, err
}

func receiptsTo(found *[]ws.Receipt) func(rows *sql.Rows) error {
	return func(rows *sql.Rows) error {
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

// receiptsOfQuery looks up, for each device that has any, the last receipt that begins at or before a position: receipts of
// a device do not overlap, so no other one can cover it.
var receiptsOfQuery = "SELECT " + names(receipts.columns, "r.") + ` FROM yanlink_receivers AS v
	JOIN yanlink_receipts AS r ON r.conversation = v.conversation AND r.openid = v.openid AND r.device = v.device
	AND r.from_seq = (
		SELECT MAX(x.from_seq) FROM yanlink_receipts AS x
		WHERE x.conversation = v.conversation AND x.openid = v.openid AND x.device = v.device AND x.from_seq <= ?
	)
	WHERE v.conversation = ? AND r.to_seq >= ? ORDER BY r.openid, r.device`

// ReceiptsOf implements ws.Reader.
func (s *Store) ReceiptsOf(ctx context.Context, id ws.MessageID) (found []ws.Receipt, err error) {
	err = s.query(ctx, receiptsTo(&found), receiptsOfQuery, bounded(id.Seq), bounded(id.Conversation), bounded(id.Seq))
	return found, err
}

// DueScheduled implements ws.Reader.
func (s *Store) DueScheduled(ctx context.Context, t ws.Millis, limit int) (due []ws.Scheduled, err error) {
	query := "SELECT " + names(scheduled.columns, "") + " FROM yanlink_scheduled WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
	err = s.query(ctx, func(rows *sql.Rows) error {
		item, err := scanScheduled(rows)
		due = append(due, item)
		return err
	}, query, int64(t), limit)
	return due, err
}

// Events implements ws.Reader. The database numbers events as they are written: one with a lower number may be seen after
// one with a higher number if two nodes wrote them at the same time.
func (s *Store) Events(ctx context.Context, state ws.EventState, after uint64, limit int) (found []ws.Event, err error) {
	query := "SELECT " + names(events.columns, "") + " FROM yanlink_outbox WHERE state = ? AND id > ? ORDER BY id LIMIT ?"
	err = s.query(ctx, func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		found = append(found, e)
		return err
	}, query, int64(state), bounded(after), limit)
	return found, err
}
