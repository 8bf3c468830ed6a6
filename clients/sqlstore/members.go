package sqlstore

import (
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// openStay returns the stay that lasts, or nil.
func openStay(stays []ws.Stay) *ws.Stay {
	if n := len(stays); n > 0 && stays[n-1].Left == 0 {
		return &stays[n-1]
	}
	return nil
}

// startOf is where a device without a cursor stands: just before the user's first stay.
func startOf(stays []ws.Stay) uint64 {
	if len(stays) == 0 {
		return 0
	}
	return stays[0].Joined - 1
}

// members returns who has an open stay, by openid; nobody of the system conversation, whose members are everybody. The
// slice is never changed in place.
func (v *view) members(c *row[ws.ConversationID, conversation]) []string {
	if c.val.members != nil || c.val.Kind == ws.System {
		return c.val.members
	}
	if c.val.Kind == ws.Direct {
		c.val.members = pairOf(c.val.Key)
		return c.val.members
	}
	stored, read := v.lists[c.key]
	if !read && c.stored && c.exists {
		v.plan.members[c.key], v.lacking = true, true
	}
	members := slices.Clone(stored)
	for _, r := range v.stays.dirty {
		if r.key.id != c.key {
			continue
		}
		at, found := slices.BinarySearch(members, r.key.user)
		switch open := openStay(r.val) != nil; {
		case open && !found:
			members = slices.Insert(members, at, r.key.user)
		case !open && found:
			members = slices.Delete(members, at, at+1)
		}
	}
	if members == nil {
		members = []string{}
	}
	c.val.members = members
	return members
}

// pairOf returns the two of a direct conversation, who never leave it, or the one.
func pairOf(key string) []string {
	a, b, _ := strings.Cut(key, ",")
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}

// staysIn returns the row of a user's stays in a conversation.
func (v *view) staysIn(user string, id ws.ConversationID) *row[stayRef, []ws.Stay] {
	return v.stays.get(stayRef{user, id})
}

// enter begins a stay of user that covers from joined on.
func (v *view) enter(c *row[ws.ConversationID, conversation], user string, joined uint64, role ws.Role) {
	r := v.staysIn(user, c.key)
	if len(r.val) == 0 {
		person := v.person(user)
		person.stays = append(person.stays, r)
	}
	v.stays.put(r, append(r.val, ws.Stay{Conversation: c.key, User: user, Joined: joined, Role: role}))
	v.membersChanged(c)
}

// leave ends the user's open stay with left as the last seq it covers.
func (v *view) leave(c *row[ws.ConversationID, conversation], user string, left uint64) {
	r := v.staysIn(user, c.key)
	if open := openStay(r.val); open != nil {
		open.Left = left
	}
	v.stays.touch(r)
	v.membersChanged(c)
}

func (v *view) membersChanged(c *row[ws.ConversationID, conversation]) {
	c.val.MembersVersion++
	c.val.members = nil
	v.conversations.touch(c)
}

// staysOf lists the user's stays, by conversation, as the batch has them.
func (v *view) staysOf(user string) []*row[stayRef, []ws.Stay] {
	person := v.person(user)
	if !person.knowsStays {
		v.plan.staysOf[user], v.lacking = true, true
	}
	return person.stays
}

// createConversation makes the conversation that a number is kept for.
func (v *view) createConversation(c *row[ws.ConversationID, conversation], name nameRef, title string, at ws.Millis) {
	v.lists[c.key] = nil
	v.conversations.put(c, conversation{Conversation: ws.Conversation{
		ID: c.key, Kind: name.kind, Key: name.key, Name: title, First: 1, CreatedAt: at, UpdatedAt: at,
	}})
}
