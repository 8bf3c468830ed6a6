package pebblestore

import (
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
)

func encodeConversation(dst []byte, c *ws.Conversation) []byte {
	dst = appendString(append(dst, 1, byte(c.Kind)), c.Key)
	dst = appendString(dst, c.Name)
	dst = binary.AppendUvarint(dst, c.First)
	dst = binary.AppendUvarint(dst, c.Last)
	dst = binary.AppendUvarint(dst, c.MembersVersion)
	dst = appendMillis(dst, c.CreatedAt)
	return appendMillis(dst, c.UpdatedAt)
}

func decodeConversation(id ws.ConversationID, value []byte) (ws.Conversation, error) {
	d := decoder{rest: value}
	d.version(1)
	c := ws.Conversation{
		ID: id, Kind: ws.ConversationKind(d.byte()), Key: d.string(), Name: d.string(), First: d.uvarint(), Last: d.uvarint(),
		MembersVersion: d.uvarint(), CreatedAt: d.millis(), UpdatedAt: d.millis(),
	}
	return c, d.done(kindConversation)
}

// encodeStays writes the value of one user's stays in one conversation, the oldest first.
func encodeStays(dst []byte, stays []ws.Stay) []byte {
	dst = binary.AppendUvarint(append(dst, 2), uint64(len(stays)))
	for i := range stays {
		s := &stays[i]
		dst = binary.AppendUvarint(dst, s.Joined)
		dst = binary.AppendUvarint(dst, s.Left)
		dst = append(dst, byte(s.Role))
		dst = binary.AppendUvarint(dst, s.Delivered)
		dst = binary.AppendUvarint(dst, s.Read)
		dst = appendMillis(dst, s.ReadAt)
	}
	return dst
}

func decodeStays(user string, id ws.ConversationID, value []byte) ([]ws.Stay, error) {
	d := decoder{rest: value}
	version := d.byte() // 1 has no times of reading
	count := d.uvarint()
	if version < 1 || version > 2 || count > uint64(len(d.rest)) {
		d.fail()
		count = 0
	}
	stays := make([]ws.Stay, 0, count)
	for range count {
		s := ws.Stay{
			Conversation: id, User: user, Joined: d.uvarint(), Left: d.uvarint(), Role: ws.Role(d.byte()),
			Delivered: d.uvarint(), Read: d.uvarint(),
		}
		if version > 1 {
			s.ReadAt = d.millis()
		}
		stays = append(stays, s)
	}
	return stays, d.done(kindStays)
}

// openStay returns the stay that lasts, or nil.
func openStay(stays []ws.Stay) *ws.Stay {
	if n := len(stays); n > 0 && stays[n-1].Left == 0 {
		return &stays[n-1]
	}
	return nil
}

// startOf is where a device without a cursor stands: just before the user's first stay.
func startOf(stays []ws.Stay) uint64 { return stays[0].Joined - 1 }
