package pebblestore

import (
	"encoding/binary"

	"github.com/yanlink/yanlink/ws"
)

// format is the number of the record layout that this program writes. A release that changes the meaning of a key or a
// value, or adds one that has to be there, raises it.
const format = 2

// secretFormat is the first format in which a ledger has a secret.
const secretFormat = 2

func encodeLedger(dst []byte, info ws.LedgerInfo) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, uint64(info.Format)), info.Epoch)
}

// decodeLedger leaves what a newer format may have added to its own reader: the format comes first for ever.
func decodeLedger(value []byte) (ws.LedgerInfo, error) {
	d := decoder{rest: value}
	info := ws.LedgerInfo{Format: uint32(d.uvarint())}
	if d.bad || info.Format > format {
		if d.bad {
			return info, corrupt(kindLedger)
		}
		return info, nil
	}
	info.Epoch = d.uvarint()
	return info, d.done(kindLedger)
}

func decodeSecret(value []byte) (secret ws.Secret, err error) {
	d := decoder{rest: value}
	copy(secret[:], d.take(len(secret)))
	return secret, d.done(kindSecret)
}

// counters are the next numbers to be given; none is given twice.
type counters struct {
	conversation, scheduled, event uint64
}

func encodeCounters(dst []byte, c counters) []byte {
	dst = binary.AppendUvarint(append(dst, 1), c.conversation)
	return binary.AppendUvarint(binary.AppendUvarint(dst, c.scheduled), c.event)
}

func decodeCounters(value []byte) (counters, error) {
	d := decoder{rest: value}
	d.version(1)
	c := counters{conversation: d.uvarint(), scheduled: d.uvarint(), event: d.uvarint()}
	return c, d.done(kindCounters)
}
