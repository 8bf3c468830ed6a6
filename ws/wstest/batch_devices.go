package wstest

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (b *batch) openDevice(op *ws.OpenDevice) error {
	op.Epoch, op.Created, op.Dropped = 0, false, ""
	if op.Accept != nil {
		if op.Accept.Err = b.acceptToken(op.Accept); op.Accept.Err != nil {
			return op.Accept.Err
		}
	}
	if b.banned(op.User) {
		return refuse(protocol.Forbidden, "the user is banned")
	}
	ref := ws.DeviceRef{User: op.User, Device: op.Device}
	device := b.devices[ref]
	if device == nil {
		others := b.devicesOf(op.User)
		if op.MaxDevices > 0 && len(others) >= op.MaxDevices {
			idle := longestUnused(others)
			if idle.LastSeen >= op.IdleSince {
				return refuse(protocol.RateLimited, "too many devices")
			}
			op.Dropped = idle.Name
			b.drop(idle)
		}
	}
	u := b.rename(op.User, op.Name, op.At)
	if device == nil {
		op.Created = true
		device = &ws.Device{User: op.User, Name: op.Device, CreatedAt: op.At, Epoch: op.FirstEpoch}
		b.start(ref)
		b.devices[ref] = device
	}
	device.Epoch++
	device.LastSeen = op.At
	u.LastSeen = max(u.LastSeen, op.At)
	op.Epoch = device.Epoch
	return nil
}

func longestUnused(devices []*ws.Device) *ws.Device {
	idle := devices[0]
	for _, device := range devices {
		if device.LastSeen < idle.LastSeen {
			idle = device
		}
	}
	return idle
}

// start puts the cursors of a new device at the highest of any device that its user has or had.
func (b *batch) start(ref ws.DeviceRef) {
	for id := range b.users[ref.User].in {
		c := b.conversations[id]
		cursor := ws.Cursor{Conversation: id}
		for _, stay := range c.stays[ref.User] {
			cursor.Seq = max(cursor.Seq, stay.Delivered)
		}
		for _, other := range b.devicesOf(ref.User) {
			cursor.Seq = max(cursor.Seq, b.cursor(ws.DeviceRef{User: ref.User, Device: other.Name}, c).Seq)
		}
		b.cursors[cursorKey{ref, id}] = cursor
	}
}

func (b *batch) dropDevice(op *ws.DropDevice) error {
	device := b.devices[ws.DeviceRef{User: op.User, Device: op.Device}]
	if device != nil && device.Epoch == op.Epoch {
		b.drop(device)
	}
	return nil
}

// drop removes a device; its receipts stay, they are what proves delivery to the senders.
func (b *batch) drop(device *ws.Device) {
	ref := ws.DeviceRef{User: device.User, Device: device.Name}
	for id := range b.users[device.User].in {
		c := b.conversations[id]
		stays := c.stays[device.User]
		newest := &stays[len(stays)-1]
		newest.Delivered = max(newest.Delivered, b.cursor(ref, c).Seq)
		delete(b.cursors, cursorKey{ref, id})
	}
	delete(b.devices, ref)
}

// seenDevice passes over a device that is not there: it may have given way meanwhile.
func (b *batch) seenDevice(op *ws.SeenDevice) error {
	if device := b.devices[ws.DeviceRef{User: op.User, Device: op.Device}]; device != nil {
		device.LastSeen = op.At
		b.users[op.User].LastSeen = op.At
	}
	return nil
}

// run names a receipt.
type run struct {
	conversation *conversation
	device       ws.DeviceRef
	from         uint64
}

func (b *batch) ack(op *ws.Ack) error {
	ref := ws.DeviceRef{User: op.User, Device: op.Device}
	c := b.conversations[op.Conversation]
	switch {
	case b.devices[ref] == nil:
		return refuse(protocol.NotFound, "no such device")
	case c == nil || len(c.stays[op.User]) == 0:
		return refuse(protocol.NotFound, "the user was never in the conversation")
	case op.To > c.Last:
		return protocol.FieldError(protocol.BadField, "upTo", "past the conversation's last position")
	case op.Cursor > c.Last:
		return protocol.FieldError(protocol.BadField, "upTo", "past the conversation's last position")
	}
	cursor := b.cursor(ref, c)
	cursor.Seq = max(cursor.Seq, op.Cursor)
	cursor.Due = max(cursor.Due, op.Due)
	b.cursors[cursorKey{ref, c.ID}] = cursor
	if op.From > 0 {
		b.receipt(c, ref, op)
	}
	b.emit(op.Events)
	return nil
}

// receipt records a run, as a part of one that this batch has written if they touch.
func (b *batch) receipt(c *conversation, ref ws.DeviceRef, op *ws.Ack) {
	runs := c.receipts[ref]
	if runs == nil {
		runs = map[uint64]ws.Receipt{}
		c.receipts[ref] = runs
	}
	if known, ok := runs[op.From]; ok {
		known.To = max(known.To, op.To)
		runs[op.From] = known
		return
	}
	r := ws.Receipt{
		Conversation: c.ID, User: ref.User, Device: ref.Device, From: op.From, To: op.To,
		Node: op.Node, Attempts: op.Attempts, At: op.At,
	}
	for i := 0; i < len(b.fresh); i++ {
		f := b.fresh[i]
		other, ok := f.conversation.receipts[f.device][f.from]
		if !ok || f.conversation != c || f.device != ref || other.Attempts != r.Attempts || other.Node != r.Node ||
			(other.To+1 != r.From && r.To+1 != other.From) {
			continue
		}
		r.From, r.To, r.At = min(r.From, other.From), max(r.To, other.To), min(r.At, other.At)
		delete(runs, other.From)
		b.fresh = append(b.fresh[:i], b.fresh[i+1:]...)
		i--
	}
	runs[r.From] = r
	b.fresh = append(b.fresh, &run{c, ref, r.From})
}
