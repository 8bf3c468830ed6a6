package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
)

// The functions of this file write one dirty row each into the batch.

func writeUser(b *batch, r *row[string, user]) error {
	return b.set(userKey(b.k(), r.key), encodeUser(b.v(), &r.val))
}

func writeDevice(b *batch, r *row[ws.DeviceRef, ws.Device]) error {
	ephemeral := ws.EphemeralDevice(r.key.Device)
	if !r.exists {
		if err := b.del(deviceKey(b.k(), r.key)); err != nil || !ephemeral {
			return err
		}
		return b.del(ephemeralKey(b.k(), r.key))
	}
	if err := b.set(deviceKey(b.k(), r.key), encodeDevice(b.v(), &r.val)); err != nil || !ephemeral {
		return err
	}
	return b.set(ephemeralKey(b.k(), r.key), b.v())
}

func writeToken(b *batch, r *row[[32]byte, ws.Token]) error {
	if !r.exists {
		return b.del(tokenKey(b.k(), r.key))
	}
	return b.set(tokenKey(b.k(), r.key), encodeToken(b.v(), &r.val))
}

func writeName(b *batch, r *row[nameRef, ws.ConversationID]) error {
	return b.set(nameKey(b.k(), r.key.kind, r.key.key()), appendID(b.v(), uint64(r.val)))
}

func writeConversation(b *batch, r *row[ws.ConversationID, conversation]) error {
	return b.set(conversationKey(b.k(), r.key), encodeConversation(b.v(), &r.val.Conversation))
}

func writeStays(b *batch, r *row[stayRef, []ws.Stay]) error {
	if err := b.set(staysKey(b.k(), r.key.user, r.key.id), encodeStays(b.v(), r.val)); err != nil {
		return err
	}
	return b.set(memberKey(b.k(), r.key.id, r.key.user), appendBool(b.v(), openStay(r.val) != nil))
}

// writeCursor writes the receipts beside the cursor too; those of a dropped device stay, as they prove something.
func writeCursor(b *batch, r *row[cursorRef, cursor]) error {
	c := &r.val
	for i := range c.runs {
		run := &c.runs[i]
		if err := b.set(receiptKey(b.k(), r.key.id, r.key.DeviceRef, run.From), encodeReceipt(b.v(), run)); err != nil {
			return err
		}
		c.covered = max(c.covered, run.To)
	}
	c.runs = c.runs[:0]
	changed := c.changed
	c.changed = false
	switch {
	case !r.exists:
		return b.del(cursorKey(b.k(), r.key.DeviceRef, r.key.id))
	case changed:
		return b.set(cursorKey(b.k(), r.key.DeviceRef, r.key.id), encodeCursor(b.v(), c.Cursor))
	}
	return nil
}

func writeScheduled(b *batch, r *row[uint64, ws.Scheduled]) error {
	if !r.exists {
		if err := b.del(scheduledKey(b.k(), r.val.DueAt, r.key)); err != nil {
			return err
		}
		return b.del(dueKey(b.k(), r.key))
	}
	if err := b.set(scheduledKey(b.k(), r.val.DueAt, r.key), encodeScheduled(b.v(), &r.val)); err != nil {
		return err
	}
	return b.set(dueKey(b.k(), r.key), appendID(b.v(), uint64(r.val.DueAt)))
}

func writeEvent(b *batch, r *row[uint64, event]) error {
	e := &r.val
	if e.stored != 0 && (!r.exists || e.stored != e.State) {
		if err := b.del(eventKey(b.k(), e.stored, e.ID)); err != nil {
			return err
		}
	}
	if !r.exists {
		return nil
	}
	return b.set(eventKey(b.k(), e.State, e.ID), encodeEvent(b.v(), &e.Event))
}

func writeLease(b *batch, r *row[string, lease]) error {
	return b.set(leaseKey(b.k(), r.key), encodeLease(b.v(), r.val))
}
