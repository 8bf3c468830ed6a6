package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (v *view) ack(op *ws.Ack) error {
	ref := cursorRef{ws.DeviceRef{User: op.User, Device: op.Device}, op.Conversation}
	r := v.cursors.get(ref)
	v.cursors.hold(r)
	if !r.exists {
		// A cursor that is there says that the device is, and its user's stay.
		stays := v.staysIn(op.User, op.Conversation)
		if !v.device(ref.DeviceRef).exists || !stays.exists {
			return refuse(protocol.NotFound, "the device or its user's stay is not in the ledger")
		}
		r = v.newCursor(ref, startOf(stays.val))
	}
	if !v.reaches(op.Conversation, max(op.To, op.Cursor)) || op.From > op.To && op.From != 0 {
		return refuse(protocol.BadField, "the position lies past the end of the conversation")
	}
	if op.From > 0 {
		v.addReceipt(r, op)
	}
	v.raise(r, op.Cursor, op.Due)
	v.putEvents(op.Events)
	return nil
}

// newCursor returns the row of a cursor that is not there, standing at seq. Its user is locked, so that nobody else
// makes it meanwhile, or drops the device.
func (v *view) newCursor(ref cursorRef, seq uint64) *row[cursorRef, progress] {
	v.holdUser(ref.User)
	r := v.cursors.get(ref)
	r.val.Cursor = ws.Cursor{Conversation: ref.id, Seq: seq}
	return r
}

// raise moves a cursor up, never down.
func (v *view) raise(r *row[cursorRef, progress], seq, due uint64) {
	c := &r.val
	seq = max(seq, c.Seq)
	due = min(max(due, c.Due), seq)
	if seq == c.Seq && due == c.Due {
		return
	}
	c.Seq, c.Due, r.exists = seq, due, true
	v.cursors.touch(r)
}

// addReceipt adds the parts of the run that no receipt covers yet: a seq keeps the first time it was acknowledged.
func (v *view) addReceipt(r *row[cursorRef, progress], op *ws.Ack) {
	c := &r.val
	runs := []ws.Receipt{{
		Conversation: op.Conversation, User: op.User, Device: op.Device, From: op.From, To: op.To, Attempts: op.Attempts, Node: op.Node, At: op.At,
	}}
	if op.From <= c.covered {
		for _, known := range v.storedReceipts(r.key, span{op.From, op.To}) {
			runs = ws.SubtractSeqs(runs, known.From, known.To)
		}
	}
	for _, known := range c.runs {
		runs = ws.SubtractSeqs(runs, known.From, known.To)
	}
	if len(runs) == 0 {
		return
	}
	if c.covered == 0 && len(c.runs) == 0 {
		v.receivers = append(v.receivers, r.key)
	}
	for _, run := range runs {
		c.runs = ws.MergeReceipt(c.runs, run)
	}
	r.exists = true
	v.cursors.touch(r)
}

// storedReceipts returns the device's receipts that touch a span, as they were before the batch.
func (v *view) storedReceipts(ref cursorRef, s span) []ws.Receipt {
	if read, ok := v.spans[ref]; !ok || s.from < read.from || s.to > read.to {
		wanted, ok := v.plan.receipts[ref]
		if ok {
			s = span{min(s.from, wanted.from), max(s.to, wanted.to)}
		}
		v.plan.receipts[ref], v.lacking = s, true
	}
	return v.receipts[ref]
}
