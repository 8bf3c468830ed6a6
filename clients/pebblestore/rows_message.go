package pebblestore

import (
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// record is a record's row: what the contract shows, and of a recalled message the seq of its recall.
type record struct {
	ws.Record
	recall uint64
}

// encodeRecord puts the body last, so that it needs no length.
func encodeRecord(dst []byte, r *ws.Record, recall uint64) []byte {
	dst = append(dst, 1, byte(r.Kind), r.FileType, byte(r.Trigger))
	dst = append(dst, r.RequestID[:]...)
	dst = appendMillis(dst, r.CreatedAt)
	dst = appendMillis(dst, r.ExpireAt)
	dst = appendMillis(dst, r.RecalledAt)
	dst = binary.AppendUvarint(dst, recall)
	dst = binary.AppendUvarint(dst, r.Target)
	dst = appendString(dst, r.Sender)
	dst = appendString(dst, r.SenderDevice)
	dst = appendString(dst, r.MsgID)
	dst = appendString(dst, r.Node)
	dst = appendString(dst, r.Subject)
	return append(dst, r.Body...)
}

func decodeRecord(id ws.ConversationID, seq uint64, value []byte) (record, error) {
	d := decoder{rest: value}
	d.version(1)
	r := record{Record: ws.Record{Conversation: id, Seq: seq}}
	r.Kind, r.FileType, r.Trigger = ws.RecordKind(d.byte()), d.byte(), protocol.Trigger(d.byte())
	copy(r.RequestID[:], d.take(len(r.RequestID)))
	r.CreatedAt, r.ExpireAt, r.RecalledAt = d.millis(), d.millis(), d.millis()
	r.recall, r.Target = d.uvarint(), d.uvarint()
	r.Sender, r.SenderDevice, r.MsgID = d.string(), d.string(), d.string()
	r.Node, r.Subject = d.string(), d.string()
	r.Body = string(d.take(len(d.rest)))
	return r, d.done(kindRecord)
}

// dedupState says what a msgid stands for.
type dedupState byte

const (
	dedupSent dedupState = iota + 1
	dedupScheduled
	dedupCancelled
)

// dedup is what a sender's msgid stands for: the seq of a sent message, or the id of a scheduled one.
type dedup struct {
	state dedupState
	n     uint64
	hash  uint64
}

func encodeDedup(dst []byte, v dedup) []byte {
	return appendID(binary.AppendUvarint(append(dst, byte(v.state)), v.n), v.hash)
}

func decodeDedup(value []byte) (dedup, error) {
	d := decoder{rest: value}
	v := dedup{state: dedupState(d.byte()), n: d.uvarint(), hash: d.fixed()}
	if v.state < dedupSent || v.state > dedupCancelled {
		d.fail()
	}
	return v, d.done(kindDedup)
}
