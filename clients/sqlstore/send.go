package sqlstore

import (
	"slices"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// route is where a message goes, found by reading alone.
type route struct {
	sender, recipient *row[string, user] // recipient is nil in a group
	name              nameRef
	// conversation is nil when nothing has its number yet; it may not exist yet although its number is kept.
	conversation *row[ws.ConversationID, conversation]
	// refusal is why the sender may not write there now. A repeat is answered all the same: whoever was removed since
	// must still learn what became of the first one.
	refusal error
}

// route finds the conversation of sender with the user to, or the group, and whether sender may write to it.
func (v *view) route(sender, to string, group ws.ConversationID, create bool) route {
	r := route{sender: v.users.get(sender)}
	if group != 0 {
		v.routeGroup(&r, group)
	} else {
		v.routeDirect(&r, to, create)
	}
	if r.sender.exists && r.sender.val.Banned {
		r.refusal = refuse(protocol.Forbidden, "the sender is banned")
	}
	return r
}

func (v *view) routeDirect(r *route, to string, create bool) {
	r.recipient = v.users.get(to)
	if !r.recipient.exists && !create && r.recipient != r.sender {
		r.refusal = refuse(protocol.UnknownUser, "the recipient is not known")
	}
	r.name = directName(r.sender.key, to)
	id, resolved := v.plan.names[r.name]
	if !resolved {
		v.plan.names[r.name], v.lacking = 0, true
	}
	if id != 0 {
		r.conversation = v.conversation(id)
	}
}

func (v *view) routeGroup(r *route, group ws.ConversationID) {
	c := v.conversation(group)
	if !c.exists || c.val.Kind == ws.Direct {
		r.refusal = refuse(protocol.UnknownGroup, "there is no such group")
		return
	}
	r.conversation = c
	// Whoever becomes known by this very message is a member of the system conversation from then on.
	if !v.isMember(c, r.sender.key) && (r.sender.exists || group != ws.SystemConversation) {
		r.refusal = refuse(protocol.NotMember, "the sender is not a member of the group")
	}
}

// pave makes what the route lacks: users and conversation.
func (v *view) pave(r *route, name string, at ws.Millis) (created bool, err error) {
	if r.conversation == nil {
		v.plan.reserve[r.name] = true
		return false, v.lack()
	}
	if !r.sender.exists {
		v.know(r.sender, name, at)
	}
	if r.recipient == nil {
		return false, nil
	}
	v.know(r.recipient, "", at)
	if r.conversation.exists {
		return false, nil
	}
	v.createConversation(r.conversation, r.name, "", at)
	v.enter(r.conversation, r.sender.key, 1, ws.Member)
	if r.sender != r.recipient {
		v.enter(r.conversation, r.recipient.key, 1, ws.Member)
	}
	return true, nil
}

func (v *view) send(op *ws.Send) error {
	op.Duplicate, op.ScheduledID, op.Cancelled, op.Members, op.Created = false, 0, false, nil, false
	r := &op.Record
	r.Conversation, r.Seq = 0, 0
	to := v.route(r.Sender, op.To, op.Group, op.CreateUsers)
	first, err := v.firstOf(to.conversation, r.Sender, r.MsgID, op.Hash)
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
	return v.deliver(op, &to)
}

// repeats fills in the outcome of a repeat.
func repeats(op *ws.Send, id ws.ConversationID, first dedup) {
	op.Duplicate, op.Record.Conversation, op.Record.Seq = true, id, 0
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
func (v *view) firstOf(c *row[ws.ConversationID, conversation], sender, msgid string, hash uint64) (dedup, error) {
	if c == nil || !c.exists || msgid == "" {
		return dedup{}, nil
	}
	r := v.dedups.get(dedupRef{c.key, sender, msgid})
	if !r.exists {
		return dedup{}, nil
	}
	if r.val.hash != hash {
		return dedup{}, refuse(protocol.Conflict, "this msgid was used for another content")
	}
	return r.val, nil
}

func (v *view) putDedup(id ws.ConversationID, sender, msgid string, d dedup) {
	if msgid != "" {
		v.dedups.put(v.dedups.get(dedupRef{id, sender, msgid}), d)
	}
}

// deliver stores the message of a checked Send.
func (v *view) deliver(op *ws.Send, to *route) (err error) {
	r := &op.Record
	if op.Created, err = v.pave(to, op.SenderName, r.CreatedAt); err != nil {
		return err
	}
	if r.Kind == 0 {
		r.Kind = ws.KindMessage
	}
	v.appendRecord(to.conversation, r)
	v.putDedup(r.Conversation, r.Sender, r.MsgID, dedup{state: dedupSent, n: r.Seq, hash: op.Hash})
	op.Members = v.members(to.conversation)
	if op.Events != nil && !v.lacking {
		v.putEvents(op.Events(op))
	}
	return nil
}

// isMember reports whether user has an open stay in a conversation of many.
func (v *view) isMember(c *row[ws.ConversationID, conversation], user string) bool {
	if c.val.Kind == ws.System {
		return openStay(v.staysIn(user, c.key).val) != nil
	}
	_, found := slices.BinarySearch(v.members(c), user)
	return found
}
