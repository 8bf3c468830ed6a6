package pebblestore

import (
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
)

func encodeCursor(dst []byte, c ws.Cursor) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, c.Seq), c.Due)
}

func decodeCursor(id ws.ConversationID, value []byte) (ws.Cursor, error) {
	d := decoder{rest: value}
	c := ws.Cursor{Conversation: id, Seq: d.uvarint(), Due: d.uvarint()}
	return c, d.done(kindCursor)
}

// encodeReceipt writes the run's length instead of its end: one byte for nearly all of them.
func encodeReceipt(dst []byte, r *ws.Receipt) []byte {
	dst = binary.AppendUvarint(dst, r.To-r.From)
	dst = binary.AppendUvarint(dst, uint64(r.Attempts))
	dst = appendMillis(dst, r.At)
	return append(dst, r.Node...)
}

func decodeReceipt(id ws.ConversationID, ref ws.DeviceRef, from uint64, value []byte) (ws.Receipt, error) {
	d := decoder{rest: value}
	r := ws.Receipt{
		Conversation: id, User: ref.User, Device: ref.Device, From: from, To: from + d.uvarint(),
		Attempts: uint32(d.uvarint()), At: d.millis(),
	}
	r.Node = string(d.take(len(d.rest)))
	return r, d.done(kindReceipt)
}
