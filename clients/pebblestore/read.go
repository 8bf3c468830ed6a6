package pebblestore

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
)

// found turns "no such row" into the contract's error.
func found(ok bool, err error) error {
	if err == nil && !ok {
		return ws.ErrNotFound
	}
	return err
}

// User implements ws.Reader.
func (s *Store) User(ctx context.Context, openID string) (u ws.User, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		row, ok, err := loadUser(r, openID)
		u = row.User
		return found(ok, err)
	})
	return u, err
}

// Users implements ws.Reader.
func (s *Store) Users(ctx context.Context, openIDs []string) (users []ws.User, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		for _, openID := range openIDs {
			u, ok, err := loadUser(r, openID)
			if err != nil {
				return err
			}
			if ok {
				users = append(users, u.User)
			}
		}
		return nil
	})
	return users, err
}

// Devices implements ws.Reader.
func (s *Store) Devices(ctx context.Context, user string) (devices []ws.Device, err error) {
	err = s.read(ctx, func(r pebble.Reader) (err error) {
		devices, err = devicesOf(r, user)
		return err
	})
	return devices, err
}

// IdleDevices implements ws.Reader.
func (s *Store) IdleDevices(ctx context.Context, t ws.Millis, limit int) (devices []ws.Device, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return scan(r, []byte{kindEphemeral}, func(rest, _ []byte) (bool, error) {
			d := decoder{rest: rest}
			ref := ws.DeviceRef{User: d.name(), Device: string(d.rest)}
			device, ok, err := loadDevice(r, ref)
			if err == nil && (d.bad || !ok) {
				err = corrupt(kindEphemeral)
			}
			if err != nil {
				return false, err
			}
			if device.LastSeen < t {
				devices = append(devices, device)
			}
			return len(devices) < limit, nil
		})
	})
	return devices, err
}

// Token implements ws.Reader.
func (s *Store) Token(ctx context.Context, hash [32]byte) (t ws.Token, u ws.User, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		var ok bool
		var err error
		if t, ok, err = loadToken(r, hash); err != nil || !ok {
			return found(ok, err)
		}
		row, ok, err := loadUser(r, t.OpenID)
		u = row.User
		return found(ok, err)
	})
	return t, u, err
}

// Tokens implements ws.Reader.
func (s *Store) Tokens(ctx context.Context, after [32]byte, limit int) (tokens []ws.Token, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return scanFrom(r, []byte{kindToken}, append(tokenKey(nil, after), 0), func(hash, value []byte) (bool, error) {
			if len(hash) != len(after) {
				return false, corrupt(kindToken)
			}
			t, err := decodeToken([32]byte(hash), value)
			tokens = append(tokens, t)
			return len(tokens) < limit, err
		})
	})
	return tokens, err
}

// Record implements ws.Reader.
func (s *Store) Record(ctx context.Context, id ws.MessageID) (*ws.Record, error) {
	var rec record
	err := s.read(ctx, func(r pebble.Reader) (err error) {
		var ok bool
		rec, ok, err = loadRecord(r, id.Conversation, id.Seq)
		return found(ok, err)
	})
	if err != nil {
		return nil, err
	}
	return &rec.Record, nil
}

// Page implements ws.Reader.
func (s *Store) Page(ctx context.Context, id ws.ConversationID, from, to uint64, maxCount, maxBytes int) (page []*ws.Record, err error) {
	bytes := 0
	err = s.read(ctx, func(r pebble.Reader) error {
		prefix := recordKey(nil, id, 0)[:9]
		return scanFrom(r, prefix, recordKey(nil, id, from), func(rest, value []byte) (bool, error) {
			d := decoder{rest: rest}
			seq := d.fixed()
			if to != 0 && seq > to || len(page) > 0 && len(page) >= maxCount {
				return false, nil
			}
			rec, err := decodeRecord(id, seq, value)
			if err != nil {
				return false, err
			}
			if bytes += len(rec.Body); len(page) > 0 && bytes > maxBytes {
				return false, nil
			}
			page = append(page, &rec.Record)
			return true, nil
		})
	})
	return page, err
}

// Dedup implements ws.Reader.
func (s *Store) Dedup(ctx context.Context, id ws.ConversationID, sender, msgid string) (seq uint64, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		v, ok, err := loadDedup(r, dedupKey(nil, id, sender, msgid))
		seq = v.n
		return found(ok && v.state == dedupSent, err)
	})
	if err != nil {
		return 0, err
	}
	return seq, nil
}

// ReceiptsAfter implements ws.Reader.
func (s *Store) ReceiptsAfter(ctx context.Context, device ws.DeviceRef, id ws.ConversationID, seq uint64) (receipts []ws.Receipt, err error) {
	err = s.read(ctx, func(r pebble.Reader) (err error) {
		receipts, err = receiptsFrom(r, device, id, seq+1, ^uint64(0))
		return err
	})
	return receipts, err
}

// ReceiptsOf implements ws.Reader.
func (s *Store) ReceiptsOf(ctx context.Context, id ws.MessageID) (receipts []ws.Receipt, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return eachReceiver(r, id.Conversation, func(ref ws.DeviceRef) error {
			covering, err := receiptsFrom(r, ref, id.Conversation, id.Seq, id.Seq)
			receipts = append(receipts, covering...)
			return err
		})
	})
	return receipts, err
}

// DueScheduled implements ws.Reader.
func (s *Store) DueScheduled(ctx context.Context, t ws.Millis, limit int) (due []ws.Scheduled, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return scan(r, []byte{kindScheduled}, func(rest, value []byte) (bool, error) {
			d := decoder{rest: rest}
			at, id := ws.Millis(d.fixed()), d.fixed()
			if at > t || len(due) >= limit {
				return false, nil
			}
			item, err := decodeScheduled(at, id, value)
			due = append(due, item)
			return true, errors.Join(err, d.done(kindScheduled))
		})
	})
	return due, err
}

// Events implements ws.Reader.
func (s *Store) Events(ctx context.Context, state ws.EventState, after uint64, limit int) (events []ws.Event, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		prefix := []byte{kindEvent, byte(state)}
		return scanFrom(r, prefix, eventKey(nil, state, after+1), func(rest, value []byte) (bool, error) {
			if len(events) >= limit {
				return false, nil
			}
			d := decoder{rest: rest}
			e, err := decodeEvent(state, d.fixed(), value)
			events = append(events, e)
			return true, errors.Join(err, d.done(kindEvent))
		})
	})
	return events, err
}
