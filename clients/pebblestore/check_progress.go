package pebblestore

import (
	"slices"

	"github.com/yanlink/yanlink/ws"
)

func (c *checker) cursor(d *decoder, value []byte) error {
	c.sum.Cursors++
	ref := ws.DeviceRef{User: d.name(), Device: d.name()}
	id := ws.ConversationID(d.fixed())
	v, err := decodeCursor(id, value)
	if err != nil || d.bad {
		return corrupt(kindCursor)
	}
	_, ok, err := loadDevice(c.db, ref)
	if err != nil {
		return err
	}
	if !ok {
		c.broken("a cursor in conversation %s belongs to device %q of %q, which is not there", id, ref.Device, ref.User)
	}
	conversation, ok, err := c.find(id)
	if err != nil {
		return err
	}
	if !ok || v.Seq > conversation.Last {
		c.broken("device %q of %q has its cursor in conversation %s at %d, past the last", ref.Device, ref.User, id, v.Seq)
	}
	if v.Due > v.Seq {
		c.broken("device %q of %q in conversation %s acknowledged %d, past its cursor %d", ref.Device, ref.User, id, v.Due, v.Seq)
	}
	_, ok, err = loadStays(c.db, ref.User, id)
	if err == nil && !ok {
		c.broken("device %q of %q has a cursor in conversation %s without a stay", ref.Device, ref.User, id)
	}
	return err
}

func (c *checker) receipts(d *decoder, value []byte) error {
	c.sum.Receipts++
	id := ws.ConversationID(d.fixed())
	ref := ws.DeviceRef{User: d.name(), Device: d.name()}
	r, err := decodeReceipt(id, ref, d.fixed(), value)
	if err != nil || d.bad {
		return corrupt(kindReceipt)
	}
	before := c.receipt
	c.receipt = r
	if before.Conversation == id && before.User == r.User && before.Device == r.Device && before.To >= r.From {
		c.broken("the receipts %d-%d and %d-%d of device %q of %q in conversation %s overlap",
			before.From, before.To, r.From, r.To, r.Device, r.User, id)
	}
	conversation, ok, err := c.find(id)
	if err != nil {
		return err
	}
	if !ok || r.From < 1 || r.To < r.From || r.To > conversation.Last {
		c.broken("the receipt %d-%d of device %q of %q lies outside conversation %s", r.From, r.To, r.Device, r.User, id)
		return nil
	}
	stays, _, err := loadStays(c.db, r.User, id)
	if err != nil {
		return err
	}
	for seq := max(r.From, conversation.First); seq <= r.To; seq++ {
		if err := c.received(&r, stays, seq); err != nil {
			return err
		}
	}
	return nil
}

// received checks one seq of a receipt: inside a stay, and not the device's own message.
func (c *checker) received(r *ws.Receipt, stays []ws.Stay, seq uint64) error {
	if !slices.ContainsFunc(stays, func(s ws.Stay) bool { return s.Covers(seq) }) {
		c.broken("the receipt for %d of device %q of %q in conversation %s is outside the user's stays", seq, r.Device, r.User, r.Conversation)
	}
	message, ok, err := loadRecord(c.db, r.Conversation, seq)
	if err == nil && ok && message.Sender == r.User && message.SenderDevice == r.Device {
		c.broken("device %q of %q has a receipt for its own message %s", r.Device, r.User, message.ID())
	}
	return err
}
