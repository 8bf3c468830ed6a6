package sqlstore

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// The functions of this file read what the locks guard, once they are held.

// readPeople reads the devices, stays and cursors of users as a whole.
func (l *loader) readPeople() error {
	for user := range l.plan.devicesOf {
		l.person(user).knowsDevices = true
	}
	for user := range l.plan.staysOf {
		l.person(user).knowsStays = true
	}
	for user := range l.plan.cursorsOf {
		l.person(user).knowsCursors = true
	}
	err := l.seek(devices, devices.key(1), keysOf(l.plan.devicesOf), false, func(rows scanner) error {
		d, err := scanDevice(rows)
		ref := ws.DeviceRef{User: d.User, Device: d.Name}
		l.person(d.User).devices[d.Name] = l.devices.load(ref, d, true)
		return err
	})
	if err != nil {
		return err
	}
	if err := l.seek(members, members.key(1), keysOf(l.plan.staysOf), false, func(rows scanner) error { return l.addStay(rows, false) }); err != nil {
		return err
	}
	return l.seek(cursors, cursors.key(1), keysOf(l.plan.cursorsOf), false, func(rows scanner) error {
		ref, c, err := scanCursor(rows)
		l.cursors.load(ref, progress{cursor: c}, false)
		return err
	})
}

// keysOf lists users in order.
func keysOf(users map[string]bool) *tuples {
	keys := &tuples{}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		keys.add(user)
	}
	return keys
}

func (l *loader) readTokens() error {
	var keys tuples
	for hash := range l.plan.tokens {
		keys.add(hash[:])
	}
	err := l.seek(tokens, tokens.key(1), &keys, false, func(rows scanner) error {
		t, err := scanToken(rows)
		l.tokens.load(t.Hash, t, true)
		return err
	})
	l.answered(func() {
		for hash := range l.plan.tokens {
			l.tokens.absent(hash)
		}
	})
	return err
}

func (l *loader) readDedups() error {
	var keys tuples
	for ref := range l.plan.dedups {
		keys.add(int64(ref.id), ref.sender, ref.msgid)
	}
	err := l.seek(dedups, dedups.key(3), &keys, false, func(rows scanner) error {
		ref, d, err := scanDedup(rows)
		l.dedups.load(ref, d, true)
		return err
	})
	l.answered(func() {
		for ref := range l.plan.dedups {
			l.dedups.absent(ref)
		}
	})
	return err
}

func (l *loader) readRecords() error {
	var keys tuples
	for id := range l.plan.records {
		keys.add(int64(id.Conversation), int64(id.Seq))
	}
	err := l.seek(messages, messages.key(2), &keys, false, func(rows scanner) error {
		r, err := scanRecord(rows)
		l.records.load(r.ID(), r, true)
		return err
	})
	l.answered(func() {
		for id := range l.plan.records {
			l.records.absent(id)
		}
	})
	return err
}

func (l *loader) readScheduled() error {
	var keys tuples
	for id := range l.plan.scheduled {
		keys.add(int64(id))
	}
	err := l.seek(scheduled, scheduled.key(1), &keys, false, func(rows scanner) error {
		s, err := scanScheduled(rows)
		l.scheduled.load(s.ID, s, true)
		return err
	})
	l.answered(func() {
		for id := range l.plan.scheduled {
			l.scheduled.absent(id)
		}
	})
	return err
}

// readMembers reads the lists of members that are not remembered as they are now.
func (l *loader) readMembers() error {
	var ids tuples
	for id := range l.plan.members {
		c := l.conversations.rows[id]
		if c == nil || !c.exists || c.val.Kind == ws.Direct {
			continue
		}
		list, ok := l.lists.get(id, c.val.MembersVersion)
		l.view.lists[id] = list
		if !ok {
			ids.add(int64(id))
		}
	}
	if ids.len() == 0 {
		return nil
	}
	condition, args := l.dialect.among(members.columns[1], ids)
	query := l.dialect.bind("SELECT conversation, openid FROM yanlink_members WHERE " + condition + " AND left_seq = 0 ORDER BY conversation, openid")
	err := l.query(func(rows scanner) error {
		var id ws.ConversationID
		var user string
		err := rows.Scan(number(&id), &user)
		l.view.lists[id] = append(l.view.lists[id], user)
		return err
	}, query, args...)
	for _, id := range ids.values {
		if c := l.conversations.rows[ws.ConversationID(id.(int64))]; err == nil && c.locked {
			l.lists.put(c.key, c.val.MembersVersion, l.view.lists[c.key])
		}
	}
	return err
}

// latestReceipt finds a device's last receipt in a conversation that begins at or before a position.
const latestReceipt = `(SELECT conversation, openid, device, from_seq, to_seq, node, attempts, acked_at FROM yanlink_receipts
	WHERE conversation = ? AND openid = ? AND device = ? AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1)`

// laterReceipts finds those that begin after it, up to another position.
const laterReceipts = `(SELECT conversation, openid, device, from_seq, to_seq, node, attempts, acked_at FROM yanlink_receipts
	WHERE conversation = ? AND openid = ? AND device = ? AND from_seq > ? AND from_seq <= ?)`

// readReceipts reads the stored receipts that touch the spans in the plan. The last one that begins before a span may
// reach into it; receipts of a device do not overlap, so no earlier one can.
func (l *loader) readReceipts() error {
	refs := slices.SortedFunc(maps.Keys(l.plan.receipts), compareCursors)
	for part := range slices.Chunk(refs, lookups) {
		var queries []string
		var args []any
		for _, ref := range part {
			s := l.plan.receipts[ref]
			l.spans[ref] = s
			queries = append(queries, latestReceipt, laterReceipts)
			args = append(args, receiptArgs(ref, s.from)...)
			args = append(args, receiptArgs(ref, s.from, s.to)...)
		}
		err := l.ask(func(rows scanner) error {
			r, err := scanReceipt(rows)
			ref := cursorRef{ws.DeviceRef{User: r.User, Device: r.Device}, r.Conversation}
			l.receipts[ref] = append(l.receipts[ref], r)
			return err
		}, l.dialect.bind(strings.Join(queries, " UNION ALL ")), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func receiptArgs(ref cursorRef, seqs ...uint64) []any {
	args := []any{int64(ref.id), []byte(ref.User), []byte(ref.Device)}
	for _, seq := range seqs {
		args = append(args, bounded(seq))
	}
	return args
}

// readCovered reads, for devices without a cursor, how far receipts reach that devices of the same name left.
func (l *loader) readCovered() error {
	var left tuples
	if err := l.pick(receivers, receivers.key(3), &l.uncovered, false, receiversTo(&left, math.MaxInt64)); err != nil {
		return err
	}
	return left.parts(lookups, func(part tuples) error {
		query, args := l.dialect.latest(part)
		return l.query(func(rows scanner) error {
			r, err := scanReceipt(rows)
			l.cursors.rows[cursorRef{ws.DeviceRef{User: r.User, Device: r.Device}, r.Conversation}].val.covered = r.To
			return err
		}, query, args...)
	})
}

// receiversTo adds, for each receiver that was read, the key of a receipt at a position.
func receiversTo(keys *tuples, at int64) func(rows scanner) error {
	return func(rows scanner) error {
		var id int64
		var user, device string
		err := rows.Scan(&id, &user, &device)
		keys.add(id, user, device, at)
		return err
	}
}
