package sqlstore

import (
	"cmp"
	"maps"
	"slices"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// device returns the row of a device, whose user is locked.
func (v *view) device(ref ws.DeviceRef) *row[ws.DeviceRef, ws.Device] {
	v.holdUser(ref.User)
	return v.devices.get(ref)
}

func (v *view) openDevice(op *ws.OpenDevice) error {
	op.Epoch, op.Created, op.Dropped = 0, false, ""
	if op.Accept != nil {
		if op.Accept.Err = v.acceptToken(op.Accept); op.Accept.Err != nil {
			return op.Accept.Err
		}
	}
	u := v.users.get(op.User)
	if u.exists && u.val.Banned {
		return refuse(protocol.Forbidden, "the user is banned")
	}
	d := v.device(ws.DeviceRef{User: op.User, Device: op.Device})
	if !d.exists {
		if err := v.createDevice(op, u, d); err != nil {
			return err
		}
	} else {
		v.know(u, op.Name, op.At)
	}
	d.val.Epoch++
	d.val.LastSeen = max(d.val.LastSeen, op.At)
	v.devices.touch(d)
	v.seen(u, op.At)
	op.Epoch = d.val.Epoch
	return nil
}

// createDevice makes a device that begins where the user's devices have come to.
func (v *view) createDevice(op *ws.OpenDevice, u *row[string, user], d *row[ws.DeviceRef, ws.Device]) error {
	others := v.devicesOf(op.User)
	var gives *row[ws.DeviceRef, ws.Device]
	if op.MaxDevices > 0 && len(others) >= op.MaxDevices {
		gives = slices.MinFunc(others, func(a, b *row[ws.DeviceRef, ws.Device]) int { return cmp.Compare(a.val.LastSeen, b.val.LastSeen) })
		if gives.val.LastSeen >= op.IdleSince {
			return refuse(protocol.RateLimited, "the user has as many devices as are allowed")
		}
	}
	stays := slices.Clone(v.staysOf(op.User))
	if !v.person(op.User).knowsCursors {
		v.plan.cursorsOf[op.User], v.lacking = true, true
	}
	if gives != nil {
		v.forget(gives)
		op.Dropped = gives.key.Device
		others = slices.DeleteFunc(others, func(r *row[ws.DeviceRef, ws.Device]) bool { return r == gives })
	}
	v.know(u, op.Name, op.At)
	for _, s := range stays {
		v.start(d.key, s, others)
	}
	op.Created = true
	v.person(op.User).devices[op.Device] = d
	v.devices.put(d, ws.Device{User: op.User, Name: op.Device, CreatedAt: op.At, LastSeen: op.At, Epoch: op.FirstEpoch})
	return nil
}

// devicesOf lists the user's devices by name, as the batch has them.
func (v *view) devicesOf(user string) []*row[ws.DeviceRef, ws.Device] {
	known := v.person(user).devices
	found := make([]*row[ws.DeviceRef, ws.Device], 0, len(known))
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if known[name].exists {
			found = append(found, known[name])
		}
	}
	return found
}

// start writes where a new device begins in a conversation: at the highest cursor that any device of the user has or
// had.
func (v *view) start(ref ws.DeviceRef, stays *row[stayRef, []ws.Stay], others []*row[ws.DeviceRef, ws.Device]) {
	begin := startOf(stays.val)
	seq := begin
	for i := range stays.val {
		seq = max(seq, stays.val[i].Delivered)
	}
	for _, other := range others {
		if c, ok := v.cursors.rows[cursorRef{other.key, stays.key.id}]; ok && c.exists {
			seq = max(seq, c.val.Seq)
		}
	}
	if seq > begin {
		v.raise(v.newCursor(cursorRef{ref, stays.key.id}, begin), seq, 0)
	}
}

// forget removes a device and its cursors; how far it came goes into the stays.
func (v *view) forget(d *row[ws.DeviceRef, ws.Device]) {
	for _, stays := range v.staysOf(d.key.User) {
		c, ok := v.cursors.rows[cursorRef{d.key, stays.key.id}]
		if !ok || !c.exists {
			continue
		}
		if last := &stays.val[len(stays.val)-1]; c.val.Seq > last.Delivered {
			last.Delivered = c.val.Seq
			v.stays.touch(stays)
		}
		v.cursors.remove(c)
	}
	v.devices.remove(d)
}

func (v *view) dropDevice(op *ws.DropDevice) error {
	d := v.device(ws.DeviceRef{User: op.User, Device: op.Device})
	if !d.exists || d.val.Epoch != op.Epoch {
		return nil
	}
	if !v.person(op.User).knowsCursors {
		v.plan.cursorsOf[op.User] = true
		return v.lack()
	}
	v.forget(d)
	return nil
}

func (v *view) seenDevice(op *ws.SeenDevice) error {
	d := v.device(ws.DeviceRef{User: op.User, Device: op.Device})
	if d.exists && op.At > d.val.LastSeen {
		d.val.LastSeen = op.At
		v.devices.touch(d)
	}
	if u := v.users.get(op.User); u.exists {
		v.seen(u, op.At)
	}
	return nil
}
