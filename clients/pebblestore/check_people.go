package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
)

func (c *checker) user(d *decoder, value []byte) error {
	c.sum.Users++
	u, err := decodeUser(string(d.rest), value)
	if err != nil {
		return err
	}
	_, ok, err := loadStays(c.db, u.OpenID, ws.SystemConversation)
	if err == nil && !ok {
		c.broken("user %q has no stay in the system conversation", u.OpenID)
	}
	return err
}

// known reports whoever is named by something and is no user.
func (c *checker) known(user, by string) error {
	_, ok, err := loadUser(c.db, user)
	if err == nil && !ok {
		c.broken("%s belongs to %q, who is no user", by, user)
	}
	return err
}

func (c *checker) device(d *decoder, value []byte) error {
	c.sum.Devices++
	ref := ws.DeviceRef{User: d.name(), Device: string(d.rest)}
	if _, err := decodeDevice(ref, value); err != nil || d.bad {
		return corrupt(kindDevice)
	}
	indexed, err := lookup(c.db, ephemeralKey(nil, ref), func([]byte) error { return nil })
	if err != nil {
		return err
	}
	if indexed != ws.EphemeralDevice(ref.Device) {
		c.broken("device %q of %q: its place among the ephemeral ones is wrong", ref.Device, ref.User)
	}
	return c.known(ref.User, "device "+ref.Device)
}

func (c *checker) ephemeral(d *decoder, _ []byte) error {
	ref := ws.DeviceRef{User: d.name(), Device: string(d.rest)}
	_, ok, err := loadDevice(c.db, ref)
	if err == nil && !ok {
		c.broken("the ephemeral device %q of %q is not there", ref.Device, ref.User)
	}
	return err
}

func (c *checker) token(d *decoder, value []byte) error {
	c.sum.Tokens++
	t, err := decodeToken([32]byte(d.take(32)), value)
	if err != nil {
		return err
	}
	u, ok, err := loadUser(c.db, t.OpenID)
	if err != nil {
		return err
	}
	switch {
	case !ok:
		c.broken("a token belongs to %q, who is no user", t.OpenID)
	case t.Epoch > u.TokenEpoch:
		c.broken("a token of %q has epoch %d, the user %d", t.OpenID, t.Epoch, u.TokenEpoch)
	}
	return nil
}
