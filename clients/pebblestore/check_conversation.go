package pebblestore

import (
	"strings"

	"github.com/yanlink/yanlink/ws"
)

func (c *checker) conversation(d *decoder, value []byte) error {
	c.sum.Conversations++
	id := ws.ConversationID(d.fixed())
	v, err := decodeConversation(id, value)
	if err != nil {
		return err
	}
	if uint64(id) >= c.counters.conversation {
		c.broken("conversation %s was never given out: the next is %d", id, c.counters.conversation)
	}
	if v.First < 1 || v.First > v.Last+1 {
		c.broken("conversation %s begins at %d and ends at %d", id, v.First, v.Last)
	}
	named, ok, err := loadName(c.db, v.Kind, v.Key)
	if err != nil {
		return err
	}
	if !ok || named != id {
		c.broken("conversation %s is not found by its key %q", id, v.Key)
	}
	if err := c.newest(&v); err != nil {
		return err
	}
	return c.pair(&v)
}

// newest checks that the last record of a conversation is there, and is what it was updated by.
func (c *checker) newest(v *ws.Conversation) error {
	r, ok, err := newestRecord(c.db, v.ID, v.First, v.Last)
	kept := records{next: v.First}
	if ok {
		kept.next = r.Seq + 1
	}
	switch {
	case err != nil:
		return err
	case !kept.follows(v.Last+1, c.sum.Info.Epoch):
		c.broken("conversation %s: its last record, %d, is missing", v.ID, v.Last)
	case ok && r.CreatedAt != v.UpdatedAt:
		c.broken("conversation %s was updated at %d, and its last record is of %d", v.ID, v.UpdatedAt, r.CreatedAt)
	}
	return nil
}

// pair checks that a direct conversation is of two known users who both stay.
func (c *checker) pair(v *ws.Conversation) error {
	if v.Kind != ws.Direct {
		return nil
	}
	a, b, ok := strings.Cut(v.Key, ",")
	if !ok || a > b {
		c.broken("conversation %s has the key %q, which is no sorted pair", v.ID, v.Key)
		return nil
	}
	for _, user := range []string{a, b} {
		stays, _, err := loadStays(c.db, user, v.ID)
		if err != nil {
			return err
		}
		if openStay(stays) == nil {
			c.broken("conversation %s is of %q, who has no stay in it", v.ID, user)
		}
	}
	return nil
}

func (c *checker) name(d *decoder, value []byte) error {
	kind, key := ws.ConversationKind(d.byte()), string(d.rest)
	id, err := decodeID(kindName, value)
	if err != nil {
		return err
	}
	v, ok, err := c.find(id)
	if err != nil {
		return err
	}
	if !ok || v.Kind != kind || v.Key != key {
		c.broken("the key %q names conversation %s, which is another or none", key, id)
	}
	return nil
}

func (c *checker) stays(d *decoder, value []byte) error {
	user := d.name()
	id := ws.ConversationID(d.fixed())
	stays, err := decodeStays(user, id, value)
	if err != nil || d.bad {
		return corrupt(kindStays)
	}
	c.sum.Stays += len(stays)
	v, ok, err := c.find(id)
	if err != nil {
		return err
	}
	if !ok {
		c.broken("%q stays in conversation %s, which is not there", user, id)
		return nil
	}
	if !ordered(stays, v.Last) {
		c.broken("the stays of %q in conversation %s are not in order: %+v", user, id, stays)
	}
	var indexed bool
	ok, err = lookup(c.db, memberKey(nil, id, user), func(value []byte) error {
		indexed = len(value) == 1 && value[0] == 1
		return nil
	})
	if err != nil {
		return err
	}
	if !ok || indexed != (openStay(stays) != nil) {
		c.broken("the members of conversation %s do not agree with the stays of %q", id, user)
	}
	return c.known(user, "a stay in conversation "+id.String())
}

// ordered reports whether stays follow each other, only the last may last, and no mark lies past the end.
func ordered(stays []ws.Stay, last uint64) bool {
	var left uint64
	for i := range stays {
		s := &stays[i]
		open := s.Left == 0
		switch {
		case s.Joined <= left, s.Joined > last+1, open && i < len(stays)-1:
			return false
		case !open && (s.Left < s.Joined || s.Left > last), s.Delivered > last, s.Read > last:
			return false
		}
		left = s.Left
	}
	return len(stays) > 0
}

func (c *checker) member(d *decoder, _ []byte) error {
	id := ws.ConversationID(d.fixed())
	user := string(d.rest)
	_, ok, err := loadStays(c.db, user, id)
	if err == nil && !ok {
		c.broken("%q is among the members of conversation %s without a stay", user, id)
	}
	return err
}
