package wstest

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (b *batch) createGroup(op *ws.CreateGroup) error {
	op.Conversation, op.Existed, op.Members = ws.Conversation{}, false, nil
	if id, ok := b.byKey[conversationKey{ws.Group, op.Key}]; ok {
		c := b.conversations[id]
		if c.open(op.By) == nil {
			return refuse(protocol.Conflict, "the group exists")
		}
		op.Existed, op.Conversation, op.Members = true, c.Conversation, c.members()
		return nil
	}
	for _, openID := range op.Users {
		if b.users[openID] == nil && openID != op.By {
			return refuse(protocol.UnknownUser, "no such user")
		}
	}
	b.know(op.By, "", op.Record.CreatedAt)
	c := b.create(ws.Group, op.Key, op.Name, op.Record.CreatedAt)
	b.join(c, op.By, 1, ws.Owner)
	for _, openID := range op.Users {
		if c.open(openID) == nil {
			b.join(c, openID, 1, ws.Member)
		}
	}
	op.Record.Kind = ws.KindCreated
	c.append(&op.Record)
	op.Conversation, op.Members = c.Conversation, c.members()
	return nil
}

func (b *batch) change(op *ws.Change) error {
	op.Unchanged, op.Members = false, nil
	c := b.conversations[op.Conversation]
	if c == nil || c.Kind != ws.Group {
		return refuse(protocol.UnknownGroup, "no such group")
	}
	subject := op.Record.Subject
	switch op.Record.Kind {
	case ws.KindJoined:
		if b.users[subject] == nil {
			return refuse(protocol.UnknownUser, "no such user")
		}
		if op.Unchanged = c.open(subject) != nil; op.Unchanged {
			return nil
		}
		b.join(c, subject, c.Last+1, op.Role)
		op.Members = c.members()
	case ws.KindLeft:
		if op.Unchanged = c.open(subject) == nil; op.Unchanged {
			return nil
		}
		op.Members = c.members()
		c.leave(subject, c.Last+1)
	case ws.KindRenamed:
		op.Members = c.members()
		c.Name = op.Record.Body
	case ws.KindDissolved:
		op.Members = c.members()
		if op.Unchanged = len(op.Members) == 0; op.Unchanged {
			return nil
		}
		for _, openID := range op.Members {
			c.leave(openID, c.Last+1)
		}
	default:
		return protocol.FieldError(protocol.BadField, "kind", "not a change of a group")
	}
	c.append(&op.Record)
	return nil
}

func (b *batch) markRead(op *ws.MarkRead) error {
	c := b.conversations[op.Conversation]
	if c == nil || c.open(op.User) == nil {
		return refuse(protocol.NotMember, "not a member")
	}
	if op.Seq > c.Last {
		return protocol.FieldError(protocol.BadField, "seq", "past the conversation's last position")
	}
	stay := c.open(op.User)
	op.Unchanged = op.Seq <= stay.Read
	if !op.Unchanged {
		stay.Read, stay.ReadAt = op.Seq, op.At
	}
	op.Read, op.Peer = stay.Read, c.Peer(op.User)
	return nil
}
