package pebblestore

import (
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// members returns who has an open stay, by openid; nobody of the system conversation, whose members are everybody. The
// slice is never changed in place.
func (w *writer) members(c *row[ws.ConversationID, conversation]) ([]string, error) {
	if c.val.members != nil || c.val.Kind == ws.System {
		return c.val.members, nil
	}
	members := []string{}
	err := scan(w.db, membersPrefix(nil, c.key), func(user, open []byte) (bool, error) {
		if r, ok := w.tables.stays.rows[stayRef{c.key, string(user)}]; ok && r.dirty {
			return true, nil
		}
		if len(open) == 1 && open[0] == 1 {
			members = append(members, string(user))
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	for _, r := range w.tables.stays.dirty {
		if r.key.id == c.key && openStay(r.val) != nil {
			members = append(members, r.key.user)
		}
	}
	slices.Sort(members)
	c.val.members = members
	return members, nil
}

// enter begins a stay of user that covers from joined on.
func (w *writer) enter(c *row[ws.ConversationID, conversation], user string, joined uint64, role ws.Role) error {
	r, err := w.tables.stays.get(w.db, stayRef{c.key, user})
	if err != nil {
		return err
	}
	stay := ws.Stay{Conversation: c.key, User: r.key.user, Joined: joined, Role: role}
	w.tables.stays.put(r, append(r.val, stay))
	w.membersChanged(c)
	return nil
}

// leave ends the user's open stay with left as the last seq it covers.
func (w *writer) leave(c *row[ws.ConversationID, conversation], user string, left uint64) error {
	r, err := w.tables.stays.get(w.db, stayRef{c.key, user})
	if err != nil {
		return err
	}
	openStay(r.val).Left = left
	w.tables.stays.touch(r)
	w.membersChanged(c)
	return nil
}

// membersChanged forgets the list instead of changing it: a list is read far more often than changed, and the one of
// the system conversation may be long.
func (w *writer) membersChanged(c *row[ws.ConversationID, conversation]) {
	c.val.MembersVersion++
	c.val.members = nil
	w.tables.conversations.touch(c)
}

// conversationsOf lists the conversations in which user has a stay, as the batch has them.
func (w *writer) conversationsOf(user string) (ids []ws.ConversationID, err error) {
	err = scan(w.db, staysPrefix(nil, user), func(rest, _ []byte) (bool, error) {
		id, err := decodeID(kindStays, rest)
		ids = append(ids, id)
		return true, err
	})
	for _, r := range w.tables.stays.dirty {
		if r.key.user == user && !slices.Contains(ids, r.key.id) {
			ids = append(ids, r.key.id)
		}
	}
	return ids, err
}

// createConversation makes a conversation with its stays from seq 1 on; roles[i] is the role of users[i].
func (w *writer) createConversation(name *row[nameRef, ws.ConversationID], title string, at ws.Millis) (*row[ws.ConversationID, conversation], error) {
	id := ws.ConversationID(w.number(&w.counters.conversation))
	c := &row[ws.ConversationID, conversation]{key: id}
	w.tables.conversations.rows[id] = c
	w.tables.conversations.put(c, conversation{Conversation: ws.Conversation{
		ID: id, Kind: name.key.kind, Key: name.key.key(), Name: title, First: 1, CreatedAt: at, UpdatedAt: at,
	}})
	w.tables.names.put(name, id)
	return c, nil
}
