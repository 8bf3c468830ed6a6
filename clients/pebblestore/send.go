package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// route is where a message goes, found by reading alone.
type route struct {
	sender, recipient *row[string, user] // recipient is nil in a group
	name              *row[nameRef, ws.ConversationID]
	conversation      *row[ws.ConversationID, conversation] // nil: there is none yet
	// refusal is why the sender may not write there now. A repeat is answered all the same: whoever was removed since
	// must still learn what became of the first one.
	refusal error
}

// route finds the conversation of sender with the user to, or the group, and whether sender may write to it.
func (w *writer) route(sender, to string, group ws.ConversationID, create bool) (r route, err error) {
	if r.sender, err = w.tables.users.get(w.db, sender); err != nil {
		return r, err
	}
	if group != 0 {
		err = w.routeGroup(&r, group)
	} else {
		err = w.routeDirect(&r, to, create)
	}
	if r.sender.exists && r.sender.val.Banned {
		r.refusal = refuse(protocol.Forbidden, "the sender is banned")
	}
	return r, err
}

func (w *writer) routeDirect(r *route, to string, create bool) (err error) {
	if r.recipient, err = w.tables.users.get(w.db, to); err != nil {
		return err
	}
	if !r.recipient.exists && !create && r.recipient != r.sender {
		r.refusal = refuse(protocol.UnknownUser, "the recipient is not known")
	}
	if r.name, err = w.tables.names.get(w.db, directName(r.sender.key, to)); err != nil || !r.name.exists {
		return err
	}
	r.conversation, err = w.tables.conversations.get(w.db, r.name.val)
	return err
}

func (w *writer) routeGroup(r *route, group ws.ConversationID) error {
	c, err := w.tables.conversations.get(w.db, group)
	if err != nil {
		return err
	}
	if !c.exists || c.val.Kind == ws.Direct {
		r.refusal = refuse(protocol.UnknownGroup, "there is no such group")
		return nil
	}
	r.conversation = c
	stays, err := w.tables.stays.get(w.db, stayRef{group, r.sender.key})
	if err != nil {
		return err
	}
	// Whoever becomes known by this very message is a member of the system conversation from then on.
	if openStay(stays.val) == nil && (r.sender.exists || group != ws.SystemConversation) {
		r.refusal = refuse(protocol.NotMember, "the sender is not a member of the group")
	}
	return nil
}

// pave makes what the route lacks: users and conversation.
func (w *writer) pave(r *route, name string, at ws.Millis) (created bool, err error) {
	if !r.sender.exists {
		if err := w.know(r.sender, name, at); err != nil {
			return false, err
		}
	}
	if r.recipient == nil {
		return false, nil
	}
	if err := w.know(r.recipient, "", at); err != nil || r.conversation != nil {
		return false, err
	}
	if r.conversation, err = w.createConversation(r.name, "", at); err != nil {
		return false, err
	}
	if err := w.enter(r.conversation, r.sender.key, 1, ws.Member); err != nil || r.sender == r.recipient {
		return true, err
	}
	return true, w.enter(r.conversation, r.recipient.key, 1, ws.Member)
}

func (w *writer) send(op *ws.Send) error {
	op.Duplicate, op.ScheduledID, op.Cancelled, op.Members, op.Created = false, 0, false, nil, false
	r := &op.Record
	to, err := w.route(r.Sender, op.To, op.Group, op.CreateUsers)
	if err != nil {
		return err
	}
	first, err := w.firstOf(to.conversation, r.Sender, r.MsgID, op.Hash)
	if err != nil {
		return err
	}
	if first.state != 0 {
		repeats(op, to.conversation.key, first)
		return nil
	}
	if to.refusal != nil {
		return to.refusal
	}
	return w.deliver(op, to)
}

// repeats fills in the outcome of a repeat.
func repeats(op *ws.Send, id ws.ConversationID, first dedup) {
	op.Duplicate, op.Record.Conversation = true, id
	switch first.state {
	case dedupSent:
		op.Record.Seq = first.n
	case dedupScheduled:
		op.ScheduledID = first.n
	case dedupCancelled:
		op.Cancelled = true
	}
}

// firstOf returns what the msgid stands for already, or the zero dedup; conflict if that has other content.
func (w *writer) firstOf(c *row[ws.ConversationID, conversation], sender, msgid string, hash uint64) (dedup, error) {
	if c == nil || msgid == "" {
		return dedup{}, nil
	}
	r, err := w.tables.dedups.get(w.db, dedupRef{c.key, sender, msgid})
	if err != nil || !r.exists {
		return dedup{}, err
	}
	if r.val.hash != hash {
		return dedup{}, refuse(protocol.Conflict, "this msgid was used for another content")
	}
	return r.val, nil
}

func (w *writer) putDedup(id ws.ConversationID, sender, msgid string, v dedup) error {
	if msgid == "" {
		return nil
	}
	r, err := w.tables.dedups.get(w.db, dedupRef{id, sender, msgid})
	if err != nil {
		return err
	}
	w.tables.dedups.put(r, v)
	return nil
}

// deliver stores the message of a checked Send.
func (w *writer) deliver(op *ws.Send, to route) (err error) {
	r := &op.Record
	if op.Created, err = w.pave(&to, op.SenderName, r.CreatedAt); err != nil {
		return err
	}
	if r.Kind == 0 {
		r.Kind = ws.KindMessage
	}
	if err := w.appendRecord(to.conversation, r); err != nil {
		return err
	}
	if err := w.putDedup(r.Conversation, r.Sender, r.MsgID, dedup{state: dedupSent, n: r.Seq, hash: op.Hash}); err != nil {
		return err
	}
	if op.Members, err = w.members(to.conversation); err != nil {
		return err
	}
	if op.Events != nil {
		w.putEvents(op.Events(op))
	}
	return nil
}
