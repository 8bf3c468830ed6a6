package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (v *view) recall(op *ws.Recall) error {
	op.Duplicate, op.Members = false, nil
	r := &op.Record
	c := v.conversation(r.Conversation)
	if !c.exists || op.Seq < c.val.First || op.Seq > c.val.Last {
		return refuse(protocol.NotFound, "there is no such message")
	}
	message := v.records.get(ws.MessageID{Conversation: c.key, Seq: op.Seq})
	if !message.exists || message.val.Kind != ws.KindMessage {
		return refuse(protocol.NotFound, "there is no such message")
	}
	if message.val.Sender != op.By && !op.Force {
		return refuse(protocol.Forbidden, "only its sender may recall a message")
	}
	if message.val.recall != 0 {
		return v.recalledBefore(op, c, message.val.recall)
	}
	if !op.Force && op.Window > 0 && int64(r.CreatedAt-message.val.CreatedAt) > op.Window {
		return refuse(protocol.Conflict, "the message is too old to be recalled")
	}
	r.Kind, r.Sender, r.Target, r.Body = ws.KindRecall, op.By, op.Seq, ""
	v.appendRecord(c, r)
	message.val.Body, message.val.RecalledAt, message.val.recall = "", r.CreatedAt, r.Seq
	v.records.touch(message)
	op.Members = v.members(c)
	return nil
}

func (v *view) recalledBefore(op *ws.Recall, c *row[ws.ConversationID, conversation], seq uint64) error {
	first := v.records.get(ws.MessageID{Conversation: c.key, Seq: seq})
	if !first.exists {
		return v.lack()
	}
	op.Duplicate, op.Record = true, first.val.Record
	op.Members = v.members(c)
	return nil
}
