package pebblestore

import (
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
)

// user is a user's row: what the contract shows, and when the tokens were revoked last.
type user struct {
	ws.User
	revokedAt ws.Millis
}

func encodeUser(dst []byte, u *user) []byte {
	dst = appendString(append(dst, 1), u.Name)
	dst = appendMillis(dst, u.FirstSeen)
	dst = appendMillis(dst, u.LastSeen)
	dst = binary.AppendUvarint(dst, u.TokenEpoch)
	dst = appendBool(dst, u.Banned)
	return appendMillis(dst, u.revokedAt)
}

func decodeUser(openID string, value []byte) (user, error) {
	d := decoder{rest: value}
	d.version(1)
	u := user{User: ws.User{
		OpenID: openID, Name: d.string(), FirstSeen: d.millis(), LastSeen: d.millis(), TokenEpoch: d.uvarint(), Banned: d.bool(),
	}}
	u.revokedAt = d.millis()
	return u, d.done(kindUser)
}

func encodeDevice(dst []byte, v *ws.Device) []byte {
	dst = binary.AppendUvarint(append(dst, 1), v.Epoch)
	dst = appendMillis(dst, v.CreatedAt)
	return appendMillis(dst, v.LastSeen)
}

func decodeDevice(ref ws.DeviceRef, value []byte) (ws.Device, error) {
	d := decoder{rest: value}
	d.version(1)
	v := ws.Device{User: ref.User, Name: ref.Device, Epoch: d.uvarint(), CreatedAt: d.millis(), LastSeen: d.millis()}
	return v, d.done(kindDevice)
}

func encodeToken(dst []byte, t *ws.Token) []byte {
	dst = appendString(append(dst, 1), t.OpenID)
	dst = binary.AppendUvarint(dst, t.Epoch)
	return appendMillis(dst, t.ExpiresAt)
}

func decodeToken(hash [32]byte, value []byte) (ws.Token, error) {
	d := decoder{rest: value}
	d.version(1)
	t := ws.Token{Hash: hash, OpenID: d.string(), Epoch: d.uvarint(), ExpiresAt: d.millis()}
	return t, d.done(kindToken)
}
