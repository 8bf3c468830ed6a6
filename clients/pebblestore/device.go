package pebblestore

import (
	"cmp"
	"slices"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (w *writer) openDevice(op *ws.OpenDevice) error {
	op.Epoch, op.Created, op.Dropped = 0, false, ""
	if op.Accept != nil {
		if op.Accept.Err = w.acceptToken(op.Accept); op.Accept.Err != nil {
			return op.Accept.Err
		}
	}
	u, err := w.tables.users.get(w.db, op.User)
	if err != nil {
		return err
	}
	if u.exists && u.val.Banned {
		return refuse(protocol.Forbidden, "the user is banned")
	}
	d, err := w.tables.devices.get(w.db, ws.DeviceRef{User: op.User, Device: op.Device})
	if err != nil {
		return err
	}
	if !d.exists {
		if err := w.createDevice(op, u, d); err != nil {
			return err
		}
	} else if err := w.know(u, op.Name, op.At); err != nil {
		return err
	}
	d.val.Epoch++
	d.val.LastSeen = max(d.val.LastSeen, op.At)
	w.tables.devices.touch(d)
	w.seen(u, op.At)
	op.Epoch = d.val.Epoch
	return nil
}

// createDevice makes a device that begins where the user's devices have come to.
func (w *writer) createDevice(op *ws.OpenDevice, u *row[string, user], d *row[ws.DeviceRef, ws.Device]) error {
	others, err := w.devices(u)
	if err != nil {
		return err
	}
	var gives *row[ws.DeviceRef, ws.Device]
	if op.MaxDevices > 0 && len(others) >= op.MaxDevices {
		gives = slices.MinFunc(others, func(a, b *row[ws.DeviceRef, ws.Device]) int { return cmp.Compare(a.val.LastSeen, b.val.LastSeen) })
		if gives.val.LastSeen >= op.IdleSince {
			return refuse(protocol.RateLimited, "the user has as many devices as are allowed")
		}
	}
	ids, err := w.conversationsOf(op.User)
	if err != nil {
		return err
	}
	if gives != nil {
		if err := w.forget(gives, ids); err != nil {
			return err
		}
		op.Dropped = gives.key.Device
		others = slices.DeleteFunc(others, func(r *row[ws.DeviceRef, ws.Device]) bool { return r == gives })
	}
	if err := w.know(u, op.Name, op.At); err != nil {
		return err
	}
	for _, id := range ids {
		if err := w.start(d.key, id, others); err != nil {
			return err
		}
	}
	op.Created = true
	w.tables.devices.put(d, ws.Device{User: d.key.User, Name: d.key.Device, CreatedAt: op.At, LastSeen: op.At, Epoch: op.FirstEpoch})
	return nil
}

// devices lists the user's devices as the batch has them.
func (w *writer) devices(u *row[string, user]) ([]*row[ws.DeviceRef, ws.Device], error) {
	if !u.exists {
		return nil, nil
	}
	stored, err := devicesOf(w.db, u.key)
	if err != nil {
		return nil, err
	}
	found := make([]*row[ws.DeviceRef, ws.Device], 0, len(stored))
	for i := range stored {
		r, err := w.tables.devices.get(w.db, ws.DeviceRef{User: u.key, Device: stored[i].Name})
		if err != nil {
			return nil, err
		}
		if r.exists {
			found = append(found, r)
		}
	}
	for _, r := range w.tables.devices.dirty {
		if r.key.User == u.key && r.exists && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	return found, nil
}

// start writes where a new device begins in a conversation: at the highest cursor that any device of the user has or
// had.
func (w *writer) start(ref ws.DeviceRef, id ws.ConversationID, others []*row[ws.DeviceRef, ws.Device]) error {
	stays, err := w.tables.stays.get(w.db, stayRef{id, ref.User})
	if err != nil {
		return err
	}
	var seq uint64
	for i := range stays.val {
		seq = max(seq, stays.val[i].Delivered)
	}
	for _, other := range others {
		c, err := w.cursor(other.key, id, stays.val)
		if err != nil {
			return err
		}
		seq = max(seq, c.val.Seq)
	}
	own, err := w.cursor(ref, id, stays.val)
	if err != nil {
		return err
	}
	w.raise(own, seq, 0)
	return nil
}

// forget removes a device and its cursors; how far it came goes into the stays.
func (w *writer) forget(d *row[ws.DeviceRef, ws.Device], ids []ws.ConversationID) error {
	for _, id := range ids {
		c, err := w.tables.cursors.get(w.db, cursorRef{d.key, id})
		if err != nil {
			return err
		}
		if !c.exists {
			continue
		}
		stays, err := w.tables.stays.get(w.db, stayRef{id, d.key.User})
		if err != nil {
			return err
		}
		if last := &stays.val[len(stays.val)-1]; c.val.Seq > last.Delivered {
			last.Delivered = c.val.Seq
			w.tables.stays.touch(stays)
		}
		c.val.Cursor = ws.Cursor{Conversation: id}
		w.tables.cursors.remove(c)
	}
	w.tables.devices.remove(d)
	return nil
}

func (w *writer) dropDevice(op *ws.DropDevice) error {
	d, err := w.tables.devices.get(w.db, ws.DeviceRef{User: op.User, Device: op.Device})
	if err != nil || !d.exists || d.val.Epoch != op.Epoch {
		return err
	}
	ids, err := w.conversationsOf(op.User)
	if err != nil {
		return err
	}
	return w.forget(d, ids)
}

func (w *writer) seenDevice(op *ws.SeenDevice) error {
	d, err := w.tables.devices.get(w.db, ws.DeviceRef{User: op.User, Device: op.Device})
	if err != nil {
		return err
	}
	u, err := w.tables.users.get(w.db, op.User)
	if err != nil {
		return err
	}
	if d.exists && op.At > d.val.LastSeen {
		d.val.LastSeen = op.At
		w.tables.devices.touch(d)
	}
	if u.exists {
		w.seen(u, op.At)
	}
	return nil
}
