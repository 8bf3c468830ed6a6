package sqlstore

import (
	"cmp"
	"math"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// bounded is a position or number for the server, which knows signed ones only; nothing there is greater.
func bounded[T ~uint64](n T) int64 { return int64(min(uint64(n), math.MaxInt64)) }

// gone and there list the keys that a batch removed, and the rows that it made or changed, in order, so that two batches
// write in the same one.
func (t *table[K, V]) gone(compare func(a, b K) int) []K {
	var keys []K
	for _, r := range t.dirty {
		if r.gone {
			keys = append(keys, r.key)
		}
	}
	slices.SortFunc(keys, compare)
	return keys
}

func (t *table[K, V]) there(compare func(a, b K) int) []*row[K, V] {
	var rows []*row[K, V]
	for _, r := range t.dirty {
		if r.exists {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *row[K, V]) int { return compare(a.key, b.key) })
	return rows
}

// unchanged reports whether there is nothing to write.
func (v *view) unchanged() bool {
	return len(v.conversations.dirty)+len(v.users.dirty)+len(v.devices.dirty)+len(v.tokens.dirty)+len(v.stays.dirty)+len(v.cursors.dirty)+
		len(v.dedups.dirty)+len(v.records.dirty)+len(v.scheduled.dirty)+len(v.events.dirty)+len(v.fresh)+len(v.leases.dirty)+len(v.purged) == 0
}

// write writes what the batch has changed, in the name of a writer.
func (tx *transaction) write(v *view, w *writer) error {
	if v.assumed != nil {
		return tx.writeAssumed(v, w)
	}
	for _, p := range v.purged {
		if err := tx.writePurged(p); err != nil {
			return err
		}
	}
	for _, step := range []func(v *view) error{
		tx.writeConversations, tx.writeUsers, tx.writeDevices, tx.writeTokens, tx.writeStays, tx.writeCursors, tx.writeReceipts,
		tx.writeRecords, tx.writeDedups, tx.writeScheduled, tx.writeEvents, tx.writeLeases,
	} {
		if err := step(v); err != nil {
			return err
		}
	}
	return tx.sign(w)
}

func (tx *transaction) writeConversations(v *view) error {
	var rows tuples
	for _, r := range v.conversations.there(cmp.Compare) {
		rows.addConversation(&r.val.Conversation)
	}
	return tx.put(conversations, &rows, change)
}

func (tx *transaction) writeUsers(v *view) error {
	var rows tuples
	for _, r := range v.users.there(cmp.Compare) {
		rows.addUser(&r.val.User, r.val.revokedAt)
	}
	return tx.put(users, &rows, change)
}

func compareDevices(a, b ws.DeviceRef) int {
	return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Device, b.Device))
}

func (tx *transaction) writeDevices(v *view) error {
	var keys, rows tuples
	for _, ref := range v.devices.gone(compareDevices) {
		keys.add(ref.User, ref.Device)
	}
	for _, r := range v.devices.there(compareDevices) {
		rows.addDevice(&r.val)
	}
	if err := tx.remove(devices, devices.key(2), &keys); err != nil {
		return err
	}
	return tx.put(devices, &rows, change)
}

func compareHashes(a, b [32]byte) int { return slices.Compare(a[:], b[:]) }

func (tx *transaction) writeTokens(v *view) error {
	var keys, rows tuples
	for _, hash := range v.tokens.gone(compareHashes) {
		keys.add(hash[:])
	}
	for _, r := range v.tokens.there(compareHashes) {
		rows.addToken(&r.val)
	}
	if err := tx.remove(tokens, tokens.key(1), &keys); err != nil {
		return err
	}
	return tx.put(tokens, &rows, change)
}

func (tx *transaction) writeStays(v *view) error {
	var rows tuples
	for _, r := range v.stays.there(func(a, b stayRef) int { return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.id, b.id)) }) {
		for i := range r.val {
			rows.addStay(&r.val[i])
		}
	}
	return tx.put(members, &rows, change)
}

func (tx *transaction) writeCursors(v *view) error {
	var keys, rows tuples
	for _, ref := range v.cursors.gone(compareCursors) {
		keys.add(ref.User, ref.Device, int64(ref.id))
	}
	for _, r := range v.cursors.there(compareCursors) {
		c := r.val.written()
		rows.addCursor(r.key.DeviceRef, &c.Cursor, c.covered)
	}
	if err := tx.remove(cursors, cursors.key(3), &keys); err != nil {
		return err
	}
	return tx.put(cursors, &rows, change)
}

// writeReceipts writes the receipts beside the cursors; those of a dropped device too, as they prove something.
func (tx *transaction) writeReceipts(v *view) error {
	var found, rows tuples
	for _, ref := range v.receivers {
		found.add(int64(ref.id), ref.User, ref.Device)
	}
	for _, r := range v.cursors.dirty {
		for i := range r.val.runs {
			rows.addReceipt(&r.val.runs[i])
		}
	}
	if err := tx.put(receivers, &found, keep); err != nil {
		return err
	}
	return tx.put(receipts, &rows, fail)
}

func (tx *transaction) writeRecords(v *view) error {
	var added, changed tuples
	for _, r := range v.records.dirty {
		rows := &added
		if r.stored {
			rows = &changed
		}
		if r.exists {
			rows.addRecord(&r.val.Record, r.val.recall)
		}
	}
	if err := tx.put(messages, &added, fail); err != nil {
		return err
	}
	return tx.put(messages, &changed, change)
}

func (tx *transaction) writeDedups(v *view) error {
	var added, changed tuples
	for _, r := range v.dedups.dirty {
		rows := &added
		if r.stored {
			rows = &changed
		}
		rows.addDedup(r.key, r.val)
	}
	if err := tx.put(dedups, &added, fail); err != nil {
		return err
	}
	return tx.put(dedups, &changed, change)
}

func (tx *transaction) writeScheduled(v *view) error {
	var keys, rows tuples
	for _, id := range v.scheduled.gone(cmp.Compare) {
		keys.add(int64(id))
	}
	for _, r := range v.scheduled.there(cmp.Compare) {
		rows.addScheduled(&r.val)
	}
	if err := tx.remove(scheduled, scheduled.key(1), &keys); err != nil {
		return err
	}
	return tx.put(scheduled, &rows, fail)
}

func (tx *transaction) writeEvents(v *view) error {
	var keys, rows, fresh tuples
	for _, id := range v.events.gone(cmp.Compare) {
		keys.add(int64(id))
	}
	for _, r := range v.events.there(cmp.Compare) {
		rows.addEvent(&r.val)
	}
	for i := range v.fresh {
		e := &v.fresh[i]
		fresh.add(e.Topic, e.Key, e.Payload, int64(e.State), int64(e.Attempts), int64(e.NextAttemptAt))
	}
	if err := tx.remove(events, events.key(1), &keys); err != nil {
		return err
	}
	if err := tx.put(events, &rows, change); err != nil {
		return err
	}
	return tx.put(freshEvents, &fresh, fail)
}

// writeLeases lets one of two batches that take a new lease run again, which then sees who was first.
func (tx *transaction) writeLeases(v *view) error {
	var taken, kept tuples
	for _, r := range v.leases.there(cmp.Compare) {
		rows := &taken
		if r.stored {
			rows = &kept
		}
		rows.add(r.key, r.val.holder, int64(r.val.until))
	}
	if err := tx.put(leases, &taken, fail); err != nil {
		return err
	}
	return tx.put(leases, &kept, change)
}
