package ws

import (
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

// watchedUser is somebody whose presence sessions of this node watch, as they were told last.
type watchedUser struct {
	openID   string
	watchers []*watcher
	devices  []watchedDevice // that are there, or went a moment ago
	known    bool            // it was looked
	unknown  bool            // and could not be found out
	queued   bool            // to be looked at in this pass
	mark     uint64          // the subscription that named it last
}

// watchedDevice is a device that counts as there.
type watchedDevice struct {
	name string
	gone Millis // since when it has no session, monotonic; 0: it has one
}

// add takes in devices that have a session, and reports whether that changes anything.
func (u *watchedUser) add(present []string) (changed bool) {
	changed, u.unknown = u.unknown, false
	for _, name := range present {
		at := slices.IndexFunc(u.devices, func(d watchedDevice) bool { return d.name == name })
		if at >= 0 {
			u.devices[at].gone = 0
			continue
		}
		u.devices = append(u.devices, watchedDevice{name: name})
		changed = true
	}
	return changed
}

// remove takes out the devices that have had no session for linger, and not before settled; again is when to look for the
// others, 0 if there are none.
func (u *watchedUser) remove(present []string, now, linger, settled Millis) (changed bool, again Millis) {
	kept := u.devices[:0]
	for _, d := range u.devices {
		if !slices.Contains(present, d.name) {
			if d.gone == 0 {
				d.gone = now
			}
			end := max(d.gone+linger, settled)
			if end <= now {
				changed = true
				continue
			}
			if again == 0 || end < again {
				again = end
			}
		}
		kept = append(kept, d)
	}
	u.devices = kept
	return changed, again
}

// lose takes in that nobody can tell.
func (u *watchedUser) lose() (changed bool) {
	changed = !u.unknown
	u.unknown, u.devices = true, nil
	return changed
}

// presence returns how it stands.
func (u *watchedUser) presence() protocol.Presence {
	p := protocol.Presence{OpenID: u.openID, Status: statusOffline}
	for _, d := range u.devices {
		p.Status = statusOnline
		p.Devices = append(p.Devices, d.name)
	}
	if u.unknown {
		p.Status = statusUnknown
	}
	return p
}
