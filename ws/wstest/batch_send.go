package wstest

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (b *batch) send(op *ws.Send) error {
	op.Duplicate, op.ScheduledID, op.Cancelled, op.Members, op.Created = false, 0, false, nil, false
	op.Record.Conversation, op.Record.Seq = 0, 0
	key, err := b.target(op.To, op.Group, op.Record.Sender)
	if err != nil {
		return err
	}
	entry, err := b.repeat(key, &op.Record, op.Hash)
	if err != nil {
		return err
	}
	if entry != nil {
		op.Duplicate = true
		op.ScheduledID, op.Cancelled = entry.scheduled, entry.cancelled
		op.Record.Conversation, op.Record.Seq = b.byKey[key], entry.seq
		return nil
	}
	if err := b.mayWrite(key, &op.Record, op.To, op.CreateUsers); err != nil {
		return err
	}
	b.insert(key, op)
	if op.Record.MsgID != "" {
		b.dedup[dedupKey{key, op.Record.Sender, op.Record.MsgID}] = &dedup{hash: op.Hash, seq: op.Record.Seq}
	}
	return nil
}

// target returns the key of the conversation a message goes to, which may not be there yet if it is a direct one.
func (b *batch) target(to string, group ws.ConversationID, sender string) (conversationKey, error) {
	if group == 0 {
		return conversationKey{ws.Direct, ws.DirectKey(sender, to)}, nil
	}
	c := b.conversations[group]
	if c == nil || c.Kind == ws.Direct {
		return conversationKey{}, refuse(protocol.UnknownGroup, "no such group")
	}
	return conversationKey{c.Kind, c.Key}, nil
}

// repeat returns what the record's msgid stands for already, nil if nothing.
func (b *batch) repeat(key conversationKey, rec *ws.Record, hash uint64) (*dedup, error) {
	if rec.MsgID == "" {
		return nil, nil
	}
	entry := b.dedup[dedupKey{key, rec.Sender, rec.MsgID}]
	if entry != nil && entry.hash != hash {
		return nil, refuse(protocol.Conflict, "the same msgid was used with other content")
	}
	return entry, nil
}

// mayWrite says why a sender cannot write to a conversation.
func (b *batch) mayWrite(key conversationKey, rec *ws.Record, to string, createUsers bool) error {
	known := b.users[rec.Sender] != nil
	switch {
	case b.banned(rec.Sender):
		return refuse(protocol.Forbidden, "the sender is banned")
	case key.kind == ws.Direct:
		if b.users[to] == nil && !createUsers && to != rec.Sender {
			return refuse(protocol.UnknownUser, "no such user")
		}
	case key.kind == ws.System && !known:
		// Being made known makes a member.
	case b.conversations[b.byKey[key]].open(rec.Sender) == nil:
		return refuse(protocol.NotMember, "the sender is not a member")
	}
	return nil
}

// insert appends the record of a send that nothing refuses.
func (b *batch) insert(key conversationKey, op *ws.Send) {
	rec := &op.Record
	b.know(rec.Sender, op.SenderName, rec.CreatedAt)
	c := b.conversations[b.byKey[key]]
	if c == nil {
		b.know(op.To, "", rec.CreatedAt)
		c = b.create(ws.Direct, key.key, "", rec.CreatedAt)
		b.join(c, rec.Sender, 1, ws.Member)
		if op.To != rec.Sender {
			b.join(c, op.To, 1, ws.Member)
		}
		op.Created = true
	}
	c.append(rec)
	op.Members = c.named()
	if op.Events != nil {
		b.emit(op.Events(op))
	}
}

func (b *batch) recall(op *ws.Recall) error {
	op.Duplicate, op.Members = false, nil
	c := b.conversations[op.Record.Conversation]
	if c == nil {
		return ws.ErrNotFound
	}
	message := c.records[op.Seq]
	switch {
	case message == nil || message.Kind != ws.KindMessage:
		return ws.ErrNotFound
	case message.Sender != op.By && !op.Force:
		return refuse(protocol.Forbidden, "only the sender may recall a message")
	case message.RecalledAt != 0:
		op.Duplicate = true
		op.Record = *c.recallOf(op.Seq)
		return nil
	case !op.Force && op.Window > 0 && int64(op.Record.CreatedAt-message.CreatedAt) > op.Window:
		return refuse(protocol.Conflict, "the message is too old to be recalled")
	}
	message.Body = ""
	message.RecalledAt = op.Record.CreatedAt
	op.Record.Kind, op.Record.Sender, op.Record.Target = ws.KindRecall, op.By, op.Seq
	c.append(&op.Record)
	op.Members = c.named()
	return nil
}

// recallOf returns the record that recalled seq. It stands after what it recalls, so a purge cannot have taken it alone.
func (c *conversation) recallOf(seq uint64) *ws.Record {
	for _, rec := range c.records {
		if rec.Kind == ws.KindRecall && rec.Target == seq {
			return rec
		}
	}
	panic("a recalled message without its recall")
}
