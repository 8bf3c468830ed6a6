package sqlstore

import (
	"slices"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (v *view) createGroup(op *ws.CreateGroup) error {
	op.Conversation, op.Existed, op.Members = ws.Conversation{}, false, nil
	name := nameRef{ws.Group, op.Key}
	var c *row[ws.ConversationID, conversation]
	if id := v.plan.names[name]; id != 0 {
		if c = v.conversation(id); c.exists {
			return v.existingGroup(op, c)
		}
	}
	users := append([]string{op.By}, op.Users...)
	for _, user := range users {
		if _, err := v.known(user); err != nil {
			return err
		}
	}
	if c == nil {
		v.plan.reserve[name] = true
		return v.lack()
	}
	v.createConversation(c, name, op.Name, op.Record.CreatedAt)
	for i, user := range users {
		role := ws.Member
		if i == 0 {
			role = ws.Owner
		}
		if !slices.Contains(users[:i], user) {
			v.enter(c, user, 1, role)
		}
	}
	op.Record.Kind = ws.KindCreated
	v.appendRecord(c, &op.Record)
	op.Conversation, op.Members = c.val.Conversation, v.members(c)
	return nil
}

func (v *view) existingGroup(op *ws.CreateGroup, c *row[ws.ConversationID, conversation]) error {
	members := v.members(c)
	if _, found := slices.BinarySearch(members, op.By); !found {
		return refuse(protocol.Conflict, "there is a group with this groupId already")
	}
	op.Existed, op.Conversation, op.Members = true, c.val.Conversation, members
	return nil
}

func (v *view) change(op *ws.Change) error {
	op.Unchanged, op.Members = false, nil
	c := v.conversation(op.Conversation)
	if !c.exists || c.val.Kind != ws.Group {
		return refuse(protocol.UnknownGroup, "there is no such group")
	}
	switch op.Record.Kind {
	case ws.KindJoined:
		return v.join(op, c)
	case ws.KindLeft:
		return v.part(op, c)
	case ws.KindRenamed:
		c.val.Name = op.Record.Body
		v.appendRecord(c, &op.Record)
		op.Members = v.members(c)
		return nil
	case ws.KindDissolved:
		v.dissolve(op, c)
		return nil
	}
	return refuse(protocol.BadField, "a change of a group is a join, a leave, a new name or its end")
}

func (v *view) join(op *ws.Change, c *row[ws.ConversationID, conversation]) error {
	subject := op.Record.Subject
	if _, err := v.known(subject); err != nil {
		return err
	}
	if op.Unchanged = v.isMember(c, subject); op.Unchanged {
		return nil
	}
	v.enter(c, subject, c.val.Last+1, op.Role)
	v.appendRecord(c, &op.Record)
	op.Members = v.members(c)
	return nil
}

func (v *view) part(op *ws.Change, c *row[ws.ConversationID, conversation]) error {
	subject := op.Record.Subject
	if _, err := v.known(subject); err != nil {
		return err
	}
	if op.Unchanged = !v.isMember(c, subject); op.Unchanged {
		return nil
	}
	op.Members = v.members(c)
	v.appendRecord(c, &op.Record)
	v.leave(c, subject, c.val.Last)
	return nil
}

func (v *view) dissolve(op *ws.Change, c *row[ws.ConversationID, conversation]) {
	members := v.members(c)
	if op.Unchanged = len(members) == 0; op.Unchanged {
		return
	}
	op.Members = members
	v.appendRecord(c, &op.Record)
	for _, user := range members {
		v.leave(c, user, c.val.Last)
	}
}

func (v *view) markRead(op *ws.MarkRead) error {
	stays := v.staysIn(op.User, op.Conversation)
	open := openStay(stays.val)
	if open == nil {
		return refuse(protocol.NotMember, "the user is not a member of the conversation")
	}
	c := &v.conversations.get(op.Conversation).val
	if op.Seq > c.Last {
		return protocol.FieldError(protocol.BadField, "seq", "the position lies past the end of the conversation")
	}
	op.Unchanged = op.Seq <= open.Read
	if !op.Unchanged {
		open.Read, open.ReadAt = op.Seq, op.At
		v.stays.touch(stays)
	}
	op.Read, op.Peer = open.Read, c.Peer(op.User)
	return nil
}
