package sqlstore

import (
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (v *view) purge(op *ws.Purge) error {
	c := v.conversation(op.Conversation)
	if !c.exists {
		return refuse(protocol.NotFound, "there is no such conversation")
	}
	first := min(op.First, c.val.Last+1)
	if first <= c.val.First {
		return nil
	}
	v.purged = append(v.purged, prefix{c.key, c.val.First, first})
	c.val.First = first
	v.conversations.touch(c)
	for _, r := range v.cursors.dirty {
		if r.key.id == c.key {
			r.val.runs = slices.DeleteFunc(r.val.runs, func(run ws.Receipt) bool { return run.To < first })
		}
	}
	for _, r := range v.records.dirty {
		if r.key.Conversation == c.key && r.key.Seq < first {
			r.exists = false
		}
	}
	return nil
}

// prefix is what a purge takes of a conversation: the records from one position up to another, which stays.
type prefix struct {
	id        ws.ConversationID
	from, end uint64
}

func (tx *transaction) writePurged(p prefix) error {
	id, from, end := int64(p.id), int64(p.from), int64(p.end)
	query := "DELETE FROM yanlink_messages WHERE conversation = ? AND seq >= ? AND seq < ?"
	if err := tx.exec(tx.dialect.bind(query), id, from, end); err != nil {
		return err
	}
	return tx.purgeReceipts(id, end)
}

// purgeReceipts deletes of a conversation the receipts that end below a position. It names each device with bounds, so that
// what the device received later is not read.
func (tx *transaction) purgeReceipts(id, end int64) error {
	var of, keys tuples
	of.add(id)
	if err := tx.pick(receivers, receivers.key(1), &of, false, receiversTo(&keys, end)); err != nil {
		return err
	}
	const one = "(conversation = ? AND openid = ? AND device = ? AND from_seq < ?)"
	return keys.parts(lookups, func(part tuples) error {
		query := "DELETE FROM yanlink_receipts WHERE to_seq < ? AND (" + one + strings.Repeat(" OR "+one, part.len()-1) + ")"
		return tx.exec(tx.dialect.bind(query), append([]any{end}, plainArgs(receipts.key(4), part)...)...)
	})
}
