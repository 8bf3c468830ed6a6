package pebblestore

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
)

// The functions of this file read one row each, from a snapshot for readers and from the database for the committer.

// lookup calls decode with the value of key and says whether there is one. The value is gone when decode returns.
func lookup(r pebble.Reader, key []byte, decode func(value []byte) error) (bool, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = decode(value)
	return err == nil, errors.Join(err, closer.Close())
}

func loadSecret(r pebble.Reader) (secret ws.Secret, ok bool, err error) {
	ok, err = lookup(r, []byte{kindSecret}, func(value []byte) error {
		secret, err = decodeSecret(value)
		return err
	})
	return secret, ok, err
}

func loadUser(r pebble.Reader, openID string) (u user, ok bool, err error) {
	ok, err = lookup(r, userKey(nil, openID), func(value []byte) error {
		u, err = decodeUser(openID, value)
		return err
	})
	return u, ok, err
}

func loadDevice(r pebble.Reader, ref ws.DeviceRef) (d ws.Device, ok bool, err error) {
	ok, err = lookup(r, deviceKey(nil, ref), func(value []byte) error {
		d, err = decodeDevice(ref, value)
		return err
	})
	return d, ok, err
}

func loadToken(r pebble.Reader, hash [32]byte) (t ws.Token, ok bool, err error) {
	ok, err = lookup(r, tokenKey(nil, hash), func(value []byte) error {
		t, err = decodeToken(hash, value)
		return err
	})
	return t, ok, err
}

func loadConversation(r pebble.Reader, id ws.ConversationID) (c ws.Conversation, ok bool, err error) {
	ok, err = lookup(r, conversationKey(nil, id), func(value []byte) error {
		c, err = decodeConversation(id, value)
		return err
	})
	return c, ok, err
}

func loadName(r pebble.Reader, kind ws.ConversationKind, key string) (id ws.ConversationID, ok bool, err error) {
	ok, err = lookup(r, nameKey(nil, kind, key), func(value []byte) error {
		id, err = decodeID(kindName, value)
		return err
	})
	return id, ok, err
}

func decodeID(kind byte, value []byte) (ws.ConversationID, error) {
	d := decoder{rest: value}
	id := ws.ConversationID(d.fixed())
	return id, d.done(kind)
}

func loadStays(r pebble.Reader, user string, id ws.ConversationID) (stays []ws.Stay, ok bool, err error) {
	ok, err = lookup(r, staysKey(nil, user, id), func(value []byte) error {
		stays, err = decodeStays(user, id, value)
		return err
	})
	return stays, ok, err
}

func loadRecord(r pebble.Reader, id ws.ConversationID, seq uint64) (rec record, ok bool, err error) {
	ok, err = lookup(r, recordKey(nil, id, seq), func(value []byte) error {
		rec, err = decodeRecord(id, seq, value)
		return err
	})
	return rec, ok, err
}

// newestRecord returns the last record of a conversation between two positions.
func newestRecord(r pebble.Reader, id ws.ConversationID, from, to uint64) (rec record, ok bool, err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: recordKey(nil, id, from), UpperBound: recordKey(nil, id, to+1)})
	if err != nil {
		return rec, false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.Last() {
		return rec, false, it.Error()
	}
	value, err := it.ValueAndErr()
	if err != nil {
		return rec, false, err
	}
	d := decoder{rest: it.Key()[len(it.Key())-8:]}
	rec, err = decodeRecord(id, d.fixed(), value)
	return rec, err == nil, err
}

func loadDedup(r pebble.Reader, key []byte) (v dedup, ok bool, err error) {
	ok, err = lookup(r, key, func(value []byte) error {
		v, err = decodeDedup(value)
		return err
	})
	return v, ok, err
}

func loadCursor(r pebble.Reader, ref ws.DeviceRef, id ws.ConversationID) (c ws.Cursor, ok bool, err error) {
	ok, err = lookup(r, cursorKey(nil, ref, id), func(value []byte) error {
		c, err = decodeCursor(id, value)
		return err
	})
	return c, ok, err
}

func loadScheduled(r pebble.Reader, id uint64) (s ws.Scheduled, ok bool, err error) {
	var due ws.Millis
	ok, err = lookup(r, dueKey(nil, id), func(value []byte) error {
		d := decoder{rest: value}
		due = ws.Millis(d.fixed())
		return d.done(kindDue)
	})
	if !ok || err != nil {
		return s, false, err
	}
	ok, err = lookup(r, scheduledKey(nil, due, id), func(value []byte) error {
		s, err = decodeScheduled(due, id, value)
		return err
	})
	return s, ok, err
}

func loadEvent(r pebble.Reader, id uint64) (e ws.Event, ok bool, err error) {
	for _, state := range []ws.EventState{ws.EventPending, ws.EventDead, ws.EventScheduled} {
		ok, err = lookup(r, eventKey(nil, state, id), func(value []byte) error {
			e, err = decodeEvent(state, id, value)
			return err
		})
		if ok || err != nil {
			return e, ok, err
		}
	}
	return e, false, nil
}

func loadLease(r pebble.Reader, name string) (l lease, ok bool, err error) {
	ok, err = lookup(r, leaseKey(nil, name), func(value []byte) error {
		l, err = decodeLease(value)
		return err
	})
	return l, ok, err
}

// scan calls visit with the rest of each key behind prefix, and its value, until visit returns false or an error.
func scan(r pebble.Reader, prefix []byte, visit func(rest, value []byte) (bool, error)) error {
	return scanFrom(r, prefix, prefix, visit)
}

// scanFrom is scan, beginning at the key from.
func scanFrom(r pebble.Reader, prefix, from []byte, visit func(rest, value []byte) (bool, error)) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if more, err := visit(it.Key()[len(prefix):], value); err != nil || !more {
			return err
		}
	}
	return it.Error()
}

func devicesOf(r pebble.Reader, user string) (devices []ws.Device, err error) {
	err = scan(r, devicesPrefix(nil, user), func(name, value []byte) (bool, error) {
		d, err := decodeDevice(ws.DeviceRef{User: user, Device: string(name)}, value)
		devices = append(devices, d)
		return true, err
	})
	return devices, err
}
