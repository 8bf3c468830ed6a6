package wstest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// User implements ws.Reader.
func (m *MemStore) User(ctx context.Context, openID string) (found ws.User, err error) {
	err = m.read(ctx, func(l *ledger) error {
		u := l.users[openID]
		if u == nil {
			return ws.ErrNotFound
		}
		found = u.User
		return nil
	})
	return found, err
}

// Users implements ws.Reader.
func (m *MemStore) Users(ctx context.Context, openIDs []string) (found []ws.User, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, openID := range openIDs {
			if u := l.users[openID]; u != nil {
				found = append(found, u.User)
			}
		}
		return nil
	})
	return found, err
}

// Devices implements ws.Reader.
func (m *MemStore) Devices(ctx context.Context, openID string) (found []ws.Device, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, device := range l.devicesOf(openID) {
			found = append(found, *device)
		}
		return nil
	})
	return found, err
}

// IdleDevices implements ws.Reader.
func (m *MemStore) IdleDevices(ctx context.Context, t ws.Millis, limit int) (found []ws.Device, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, device := range l.devices {
			if device.Ephemeral() && device.LastSeen < t && len(found) < limit {
				found = append(found, *device)
			}
		}
		return nil
	})
	return found, err
}

// Token implements ws.Reader.
func (m *MemStore) Token(ctx context.Context, hash [32]byte) (token ws.Token, owner ws.User, err error) {
	err = m.read(ctx, func(l *ledger) error {
		known, ok := l.tokens[hash]
		if !ok {
			return ws.ErrNotFound
		}
		token, owner = known, l.users[known.OpenID].User
		return nil
	})
	return token, owner, err
}

// Tokens implements ws.Reader.
func (m *MemStore) Tokens(ctx context.Context, after [32]byte, limit int) (found []ws.Token, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for hash := range l.tokens {
			if slices.Compare(hash[:], after[:]) > 0 {
				found = append(found, l.tokens[hash])
			}
		}
		slices.SortFunc(found, func(a, b ws.Token) int { return slices.Compare(a.Hash[:], b.Hash[:]) })
		found = found[:min(len(found), limit)]
		return nil
	})
	return found, err
}

// Conversation implements ws.Reader.
func (m *MemStore) Conversation(ctx context.Context, id ws.ConversationID) (found ws.Conversation, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id]
		if c == nil {
			return ws.ErrNotFound
		}
		found = c.Conversation
		return nil
	})
	return found, err
}

// Conversations implements ws.Reader.
func (m *MemStore) Conversations(ctx context.Context, after ws.ConversationID, limit int) (found []ws.Conversation, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, id := range slices.Sorted(maps.Keys(l.conversations)) {
			if id > after && len(found) < limit {
				found = append(found, l.conversations[id].Conversation)
			}
		}
		return nil
	})
	return found, err
}

// FindConversation implements ws.Reader.
func (m *MemStore) FindConversation(
	ctx context.Context, kind ws.ConversationKind, key string,
) (found ws.Conversation, err error) {
	err = m.read(ctx, func(l *ledger) error {
		id, ok := l.byKey[conversationKey{kind, key}]
		if !ok {
			return ws.ErrNotFound
		}
		found = l.conversations[id].Conversation
		return nil
	})
	return found, err
}

// ConversationsOf implements ws.Reader.
func (m *MemStore) ConversationsOf(
	ctx context.Context, openID string, after ws.ConversationID, limit int,
) (found []ws.Membership, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, c := range l.of(openID) {
			if c.ID > after && len(found) < limit {
				found = append(found, ws.Membership{Conversation: c.Conversation, Stays: slices.Clone(c.stays[openID])})
			}
		}
		return nil
	})
	return found, err
}

// of lists the conversations that a user has a stay in, by id.
func (l *ledger) of(openID string) []*conversation {
	u := l.users[openID]
	if u == nil {
		return nil
	}
	var found []*conversation
	for _, id := range slices.Sorted(maps.Keys(u.in)) {
		found = append(found, l.conversations[id])
	}
	return found
}

// Members implements ws.Reader.
func (m *MemStore) Members(ctx context.Context, id ws.ConversationID) (found []ws.Stay, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id]
		if c == nil {
			return nil
		}
		for _, openID := range c.members() {
			found = append(found, *c.open(openID))
		}
		return nil
	})
	return found, err
}

// CountMembers implements ws.Reader.
func (m *MemStore) CountMembers(ctx context.Context, id ws.ConversationID) (count int, err error) {
	err = m.read(ctx, func(l *ledger) error {
		if c := l.conversations[id]; c != nil {
			count = len(c.members())
		}
		return nil
	})
	return count, err
}

// Stays implements ws.Reader.
func (m *MemStore) Stays(ctx context.Context, id ws.ConversationID, openID string) (found []ws.Stay, err error) {
	err = m.read(ctx, func(l *ledger) error {
		if c := l.conversations[id]; c != nil {
			found = slices.Clone(c.stays[openID])
		}
		return nil
	})
	return found, err
}

// Updated implements ws.Reader.
func (m *MemStore) Updated(ctx context.Context, since ws.Millis) (found []ws.Head, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, c := range l.conversations {
			if c.Last > 0 && c.UpdatedAt >= since {
				found = append(found, ws.Head{Conversation: c.ID, Kind: c.Kind, Key: c.Key, Last: c.Last, UpdatedAt: c.UpdatedAt, MembersVersion: c.MembersVersion})
			}
		}
		return nil
	})
	return found, err
}

// Page implements ws.Reader.
func (m *MemStore) Page(
	ctx context.Context, id ws.ConversationID, from, to uint64, maxCount, maxBytes int,
) (found []*ws.Record, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id]
		if c == nil {
			return nil
		}
		if to == 0 || to > c.Last {
			to = c.Last
		}
		bytes := 0
		for seq := max(from, c.First); seq <= to; seq++ {
			rec := *c.records[seq]
			bytes += len(rec.Body)
			if len(found) > 0 && (len(found) >= maxCount || bytes > maxBytes) {
				break
			}
			found = append(found, &rec)
		}
		return nil
	})
	return found, err
}

// Record implements ws.Reader.
func (m *MemStore) Record(ctx context.Context, id ws.MessageID) (found *ws.Record, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id.Conversation]
		if c == nil || c.records[id.Seq] == nil {
			return ws.ErrNotFound
		}
		rec := *c.records[id.Seq]
		found = &rec
		return nil
	})
	return found, err
}

// Dedup implements ws.Reader.
func (m *MemStore) Dedup(ctx context.Context, id ws.ConversationID, sender, msgid string) (seq uint64, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id]
		if c == nil {
			return ws.ErrNotFound
		}
		entry := l.dedup[dedupKey{conversationKey{c.Kind, c.Key}, sender, msgid}]
		if entry == nil || entry.seq == 0 {
			return ws.ErrNotFound
		}
		seq = entry.seq
		return nil
	})
	return seq, err
}

// DueScheduled implements ws.Reader.
func (m *MemStore) DueScheduled(ctx context.Context, t ws.Millis, limit int) (found []ws.Scheduled, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, row := range l.scheduled {
			if row.DueAt <= t {
				found = append(found, row.Scheduled)
			}
		}
		slices.SortFunc(found, func(a, b ws.Scheduled) int {
			return cmp.Or(cmp.Compare(a.DueAt, b.DueAt), cmp.Compare(a.ID, b.ID))
		})
		found = found[:min(limit, len(found))]
		return nil
	})
	return found, err
}

// Events implements ws.Reader.
func (m *MemStore) Events(
	ctx context.Context, state ws.EventState, after uint64, limit int,
) (found []ws.Event, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, id := range slices.Sorted(maps.Keys(l.events)) {
			if event := *l.events[id]; event.State == state && id > after && len(found) < limit {
				event.Payload = slices.Clone(event.Payload)
				found = append(found, event)
			}
		}
		return nil
	})
	return found, err
}
