package pebblestore

import (
	"errors"
	"math"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
)

// receiptsFrom returns the device's receipts that touch the seqs from to to, by From.
func receiptsFrom(r pebble.Reader, ref ws.DeviceRef, id ws.ConversationID, from, to uint64) (found []ws.Receipt, err error) {
	prefix := receiptsPrefix(nil, id, ref)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	// The last run that begins at or before from may reach into it; runs do not overlap, so no earlier one can.
	ok := it.SeekLT(appendID(prefix[:len(prefix):len(prefix)], min(from, math.MaxUint64-1)+1))
	if !ok {
		ok = it.First()
	}
	for ; ok; ok = it.Next() {
		receipt, err := receiptAt(it, id, ref, len(prefix))
		if err != nil {
			return nil, err
		}
		if receipt.From > to {
			break
		}
		if receipt.To >= from {
			found = append(found, receipt)
		}
	}
	return found, it.Error()
}

// eachReceiver calls visit for each device that has a receipt in the conversation, by user and device. It jumps from
// one to the next, however many receipts each has.
func eachReceiver(r pebble.Reader, id ws.ConversationID, visit func(ref ws.DeviceRef) error) (err error) {
	prefix := allReceiptsPrefix(nil, id)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; {
		d := decoder{rest: it.Key()[len(prefix):]}
		ref := ws.DeviceRef{User: d.name(), Device: d.name()}
		if d.fixed(); d.bad {
			return corrupt(kindReceipt)
		}
		if err := visit(ref); err != nil {
			return err
		}
		ok = it.SeekGE(after(receiptsPrefix(nil, id, ref)))
	}
	return it.Error()
}
