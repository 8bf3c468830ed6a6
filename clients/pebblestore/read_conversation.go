package pebblestore

import (
	"context"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
)

// Conversation implements ws.Reader.
func (s *Store) Conversation(ctx context.Context, id ws.ConversationID) (c ws.Conversation, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		var ok bool
		c, ok, err = loadConversation(r, id)
		return found(ok, err)
	})
	return c, err
}

// Conversations implements ws.Reader.
func (s *Store) Conversations(ctx context.Context, after ws.ConversationID, limit int) (list []ws.Conversation, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return scanFrom(r, []byte{kindConversation}, append(conversationKey(nil, after), 0), func(rest, value []byte) (bool, error) {
			id, err := decodeID(kindConversation, rest)
			if err != nil {
				return false, err
			}
			c, err := decodeConversation(id, value)
			list = append(list, c)
			return len(list) < limit, err
		})
	})
	return list, err
}

// FindConversation implements ws.Reader.
func (s *Store) FindConversation(ctx context.Context, kind ws.ConversationKind, key string) (c ws.Conversation, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		id, ok, err := loadName(r, kind, key)
		if err != nil || !ok {
			return found(ok, err)
		}
		c, ok, err = loadConversation(r, id)
		return found(ok, err)
	})
	return c, err
}

// eachStay calls visit for the conversations of user with ids above after, by id.
func eachStay(r pebble.Reader, user string, after ws.ConversationID, visit func(id ws.ConversationID, stays []ws.Stay) (bool, error)) error {
	if after == ^ws.ConversationID(0) {
		return nil
	}
	return scanFrom(r, staysPrefix(nil, user), staysKey(nil, user, after+1), func(rest, value []byte) (bool, error) {
		id, err := decodeID(kindStays, rest)
		if err != nil {
			return false, err
		}
		stays, err := decodeStays(user, id, value)
		if err != nil {
			return false, err
		}
		return visit(id, stays)
	})
}

// mustConversation is loadConversation for an id that another row names.
func mustConversation(r pebble.Reader, id ws.ConversationID) (ws.Conversation, error) {
	c, ok, err := loadConversation(r, id)
	if err == nil && !ok {
		err = corrupt(kindStays)
	}
	return c, err
}

// ConversationsOf implements ws.Reader.
func (s *Store) ConversationsOf(ctx context.Context, user string, after ws.ConversationID, limit int) (list []ws.Membership, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return eachStay(r, user, after, func(id ws.ConversationID, stays []ws.Stay) (bool, error) {
			if len(list) >= limit {
				return false, nil
			}
			c, err := mustConversation(r, id)
			list = append(list, ws.Membership{Conversation: c, Stays: stays})
			return true, err
		})
	})
	return list, err
}

// Members implements ws.Reader.
func (s *Store) Members(ctx context.Context, id ws.ConversationID) (members []ws.Stay, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return scan(r, membersPrefix(nil, id), func(user, open []byte) (bool, error) {
			if len(open) != 1 || open[0] != 1 {
				return true, nil
			}
			stays, ok, err := loadStays(r, string(user), id)
			if err != nil {
				return false, err
			}
			stay := openStay(stays)
			if !ok || stay == nil {
				return false, corrupt(kindMember)
			}
			members = append(members, *stay)
			return true, nil
		})
	})
	return members, err
}

// CountMembers implements ws.Reader.
func (s *Store) CountMembers(ctx context.Context, id ws.ConversationID) (count int, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return scan(r, membersPrefix(nil, id), func(_, open []byte) (bool, error) {
			if len(open) == 1 && open[0] == 1 {
				count++
			}
			return true, nil
		})
	})
	return count, err
}

// Stays implements ws.Reader.
func (s *Store) Stays(ctx context.Context, id ws.ConversationID, user string) (stays []ws.Stay, err error) {
	err = s.read(ctx, func(r pebble.Reader) (err error) {
		stays, _, err = loadStays(r, user, id)
		return err
	})
	return stays, err
}

// Updated implements ws.Reader. It is answered from memory, except for times from before the store was opened.
func (s *Store) Updated(ctx context.Context, since ws.Millis) (heads []ws.Head, err error) {
	if s.view.Load() != nil && ctx.Err() == nil {
		if heads, ok := s.recent.since(since); ok {
			return heads, nil
		}
	}
	found, older := []ws.Head{}, ws.Millis(math.MinInt64)
	err = s.read(ctx, func(r pebble.Reader) error {
		return scan(r, []byte{kindConversation}, func(rest, value []byte) (bool, error) {
			id, err := decodeID(kindConversation, rest)
			if err != nil {
				return false, err
			}
			c, err := decodeConversation(id, value)
			if c.UpdatedAt >= since {
				found = append(found, headOf(&c))
			} else {
				older = max(older, c.UpdatedAt)
			}
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	s.recent.learn(found, older)
	return slices.DeleteFunc(found, func(h ws.Head) bool { return h.Last == 0 }), nil
}

func headOf(c *ws.Conversation) ws.Head {
	return ws.Head{Conversation: c.ID, Kind: c.Kind, Key: c.Key, Last: c.Last, UpdatedAt: c.UpdatedAt, MembersVersion: c.MembersVersion}
}

// positionOf returns where a device stands in one of its user's conversations.
func positionOf(r pebble.Reader, device ws.DeviceRef, id ws.ConversationID, stays []ws.Stay) (ws.Position, error) {
	c, err := mustConversation(r, id)
	if err != nil {
		return ws.Position{}, err
	}
	cursor, ok, err := loadCursor(r, device, id)
	if !ok {
		cursor = ws.Cursor{Conversation: id, Seq: startOf(stays)}
	}
	return ws.Position{Conversation: c, Cursor: cursor, Stays: stays}, err
}

// Positions implements ws.Reader.
func (s *Store) Positions(ctx context.Context, device ws.DeviceRef, ids []ws.ConversationID) (list []ws.Position, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		for _, id := range ids {
			stays, ok, err := loadStays(r, device.User, id)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			p, err := positionOf(r, device, id, stays)
			if err != nil {
				return err
			}
			list = append(list, p)
		}
		return nil
	})
	return list, err
}

// Behind implements ws.Reader.
func (s *Store) Behind(ctx context.Context, device ws.DeviceRef, after ws.ConversationID, limit int) (list []ws.Position, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		return eachStay(r, device.User, after, func(id ws.ConversationID, stays []ws.Stay) (bool, error) {
			if len(list) >= limit {
				return false, nil
			}
			p, err := positionOf(r, device, id, stays)
			if err == nil && behind(&p) {
				list = append(list, p)
			}
			return true, err
		})
	})
	return list, err
}

// Lagging implements ws.Reader.
func (s *Store) Lagging(ctx context.Context, devices []ws.DeviceRef) (lagging []ws.DeviceRef, err error) {
	err = s.read(ctx, func(r pebble.Reader) error {
		for _, device := range devices {
			lags, err := lags(r, device)
			if err != nil {
				return err
			}
			if lags {
				lagging = append(lagging, device)
			}
		}
		return nil
	})
	return lagging, err
}

func lags(r pebble.Reader, device ws.DeviceRef) (lags bool, err error) {
	err = eachStay(r, device.User, 0, func(id ws.ConversationID, stays []ws.Stay) (bool, error) {
		p, err := positionOf(r, device, id, stays)
		lags = err == nil && behind(&p)
		return !lags, err
	})
	return lags, err
}

// behind reports whether any seq that is kept lies past the cursor and inside a stay.
func behind(p *ws.Position) bool {
	had := max(p.Cursor.Seq, p.Conversation.First-1)
	for i := range p.Stays {
		end := p.Conversation.Last
		if left := p.Stays[i].Left; left != 0 {
			end = min(end, left)
		}
		if end > had && end >= p.Stays[i].Joined {
			return true
		}
	}
	return false
}
