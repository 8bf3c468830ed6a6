package pebblestore

import (
	"bytes"
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
)

func encodeScheduled(dst []byte, s *ws.Scheduled) []byte {
	dst = appendString(append(dst, 1), s.To)
	dst = binary.AppendUvarint(dst, uint64(s.Group))
	dst = binary.AppendUvarint(dst, uint64(s.TTL))
	return encodeRecord(dst, &s.Draft, 0)
}

func decodeScheduled(due ws.Millis, id uint64, value []byte) (ws.Scheduled, error) {
	d := decoder{rest: value}
	d.version(1)
	s := ws.Scheduled{ID: id, DueAt: due, To: d.string(), Group: ws.ConversationID(d.uvarint()), TTL: int64(d.uvarint())}
	if d.bad {
		return s, corrupt(kindScheduled)
	}
	draft, err := decodeRecord(0, 0, d.rest)
	if err != nil {
		return s, corrupt(kindScheduled)
	}
	s.Draft = draft.Record
	return s, nil
}

func encodeEvent(dst []byte, e *ws.Event) []byte {
	dst = appendString(append(dst, 1), e.Topic)
	dst = appendString(dst, e.Key)
	dst = binary.AppendUvarint(dst, uint64(e.Attempts))
	dst = appendMillis(dst, e.NextAttemptAt)
	return append(dst, e.Payload...)
}

func decodeEvent(state ws.EventState, id uint64, value []byte) (ws.Event, error) {
	d := decoder{rest: value}
	d.version(1)
	e := ws.Event{
		ID: id, State: state, Topic: d.string(), Key: d.string(), Attempts: uint32(d.uvarint()), NextAttemptAt: d.millis(),
	}
	e.Payload = bytes.Clone(d.take(len(d.rest)))
	return e, d.done(kindEvent)
}

func encodeLease(dst []byte, l lease) []byte {
	return appendMillis(appendString(append(dst, 1), l.holder), l.until)
}

func decodeLease(value []byte) (lease, error) {
	d := decoder{rest: value}
	d.version(1)
	l := lease{holder: d.string(), until: d.millis()}
	return l, d.done(kindLease)
}
