package pebblestore

import (
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

func (w *writer) createGroup(op *ws.CreateGroup) error {
	op.Conversation, op.Existed, op.Members = ws.Conversation{}, false, nil
	name, err := w.tables.names.get(w.db, nameRef{kind: ws.Group, a: op.Key})
	if err != nil {
		return err
	}
	if name.exists {
		return w.existingGroup(op, name.val)
	}
	users := append([]string{op.By}, op.Users...)
	for _, user := range users {
		if _, err := w.knownUser(user); err != nil {
			return err
		}
	}
	c, err := w.createConversation(name, strings.Clone(op.Name), op.Record.CreatedAt)
	if err != nil {
		return err
	}
	for i, user := range users {
		role := ws.Member
		if i == 0 {
			role = ws.Owner
		}
		if slices.Contains(users[:i], user) {
			continue
		}
		if err := w.enter(c, user, 1, role); err != nil {
			return err
		}
	}
	op.Record.Kind = ws.KindCreated
	if err := w.appendRecord(c, &op.Record); err != nil {
		return err
	}
	op.Conversation = c.val.Conversation
	op.Members, err = w.members(c)
	return err
}

func (w *writer) existingGroup(op *ws.CreateGroup, id ws.ConversationID) error {
	c, err := w.tables.conversations.get(w.db, id)
	if err != nil {
		return err
	}
	stays, err := w.tables.stays.get(w.db, stayRef{id, op.By})
	if err != nil {
		return err
	}
	if openStay(stays.val) == nil {
		return refuse(protocol.Conflict, "there is a group with this groupId already")
	}
	members, err := w.members(c)
	op.Existed, op.Conversation, op.Members = true, c.val.Conversation, members
	return err
}

func (w *writer) change(op *ws.Change) error {
	op.Unchanged, op.Members = false, nil
	c, err := w.tables.conversations.get(w.db, op.Conversation)
	if err != nil {
		return err
	}
	if !c.exists || c.val.Kind != ws.Group {
		return refuse(protocol.UnknownGroup, "there is no such group")
	}
	switch op.Record.Kind {
	case ws.KindJoined:
		return w.join(op, c)
	case ws.KindLeft:
		return w.part(op, c)
	case ws.KindRenamed:
		c.val.Name = strings.Clone(op.Record.Body)
		return w.appendChange(op, c)
	case ws.KindDissolved:
		return w.dissolve(op, c)
	}
	return refuse(protocol.BadField, "a change of a group is a join, a leave, a new name or its end")
}

// appendChange appends the record and tells the members as they are then.
func (w *writer) appendChange(op *ws.Change, c *row[ws.ConversationID, conversation]) (err error) {
	if err := w.appendRecord(c, &op.Record); err != nil {
		return err
	}
	op.Members, err = w.members(c)
	return err
}

// subjectStays returns the stays of the user that the change is about.
func (w *writer) subjectStays(op *ws.Change) (*row[stayRef, []ws.Stay], error) {
	if _, err := w.knownUser(op.Record.Subject); err != nil {
		return nil, err
	}
	return w.tables.stays.get(w.db, stayRef{op.Conversation, op.Record.Subject})
}

func (w *writer) join(op *ws.Change, c *row[ws.ConversationID, conversation]) error {
	stays, err := w.subjectStays(op)
	if err != nil {
		return err
	}
	if openStay(stays.val) != nil {
		op.Unchanged = true
		return nil
	}
	if err := w.enter(c, op.Record.Subject, c.val.Last+1, op.Role); err != nil {
		return err
	}
	return w.appendChange(op, c)
}

func (w *writer) part(op *ws.Change, c *row[ws.ConversationID, conversation]) error {
	stays, err := w.subjectStays(op)
	if err != nil {
		return err
	}
	if openStay(stays.val) == nil {
		op.Unchanged = true
		return nil
	}
	if err := w.appendChange(op, c); err != nil {
		return err
	}
	return w.leave(c, op.Record.Subject, c.val.Last)
}

func (w *writer) dissolve(op *ws.Change, c *row[ws.ConversationID, conversation]) error {
	members, err := w.members(c)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		op.Unchanged = true
		return nil
	}
	if err := w.appendChange(op, c); err != nil {
		return err
	}
	for _, user := range members {
		if err := w.leave(c, user, c.val.Last); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) markRead(op *ws.MarkRead) error {
	stays, err := w.tables.stays.get(w.db, stayRef{op.Conversation, op.User})
	if err != nil {
		return err
	}
	open := openStay(stays.val)
	if open == nil {
		return refuse(protocol.NotMember, "the user is not a member of the conversation")
	}
	c, err := w.tables.conversations.get(w.db, op.Conversation)
	if err != nil {
		return err
	}
	if op.Seq > c.val.Last {
		return protocol.FieldError(protocol.BadField, "seq", "the position lies past the end of the conversation")
	}
	op.Unchanged = op.Seq <= open.Read
	if !op.Unchanged {
		open.Read, open.ReadAt = op.Seq, op.At
		w.tables.stays.touch(stays)
	}
	op.Read, op.Peer = open.Read, c.val.Peer(op.User)
	return nil
}
