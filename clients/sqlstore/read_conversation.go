package sqlstore

import (
	"context"
	"database/sql"

	"github.com/yanlink/yanlink/ws"
)

// there holds for conversations that are more than a number kept for them.
const there = "(c.members_version > 0 OR c.kind = 3)"

// Conversation implements ws.Reader.
func (s *Store) Conversation(ctx context.Context, id ws.ConversationID) (ws.Conversation, error) {
	return s.conversation(ctx, "c.id = ?", bounded(id))
}

// Conversations implements ws.Reader.
func (s *Store) Conversations(ctx context.Context, after ws.ConversationID, limit int) (list []ws.Conversation, err error) {
	query := "SELECT " + names(conversations.columns, "c.") + " FROM yanlink_conversations AS c WHERE c.id > ? AND " + there + " ORDER BY c.id LIMIT ?"
	err = s.query(ctx, func(rows scanner) error {
		c, err := scanConversation(rows)
		list = append(list, c)
		return err
	}, query, bounded(after), limit)
	return list, err
}

// FindConversation implements ws.Reader.
func (s *Store) FindConversation(ctx context.Context, kind ws.ConversationKind, key string) (ws.Conversation, error) {
	return s.conversation(ctx, "c.kind = ? AND c.conversation_key = ?", int64(kind), []byte(key))
}

func (s *Store) conversation(ctx context.Context, condition string, args ...any) (c ws.Conversation, err error) {
	query := "SELECT " + names(conversations.columns, "c.") + " FROM yanlink_conversations AS c WHERE " + condition + " AND " + there
	err = s.one(ctx, func(rows scanner) (err error) {
		c, err = scanConversation(rows)
		return err
	}, query, args...)
	return c, err
}

// ConversationsOf implements ws.Reader.
func (s *Store) ConversationsOf(ctx context.Context, user string, after ws.ConversationID, limit int) (list []ws.Membership, err error) {
	query := "SELECT " + names(members.columns, "m.") + ", " + names(conversations.columns, "c.") + ` FROM (
			SELECT DISTINCT conversation FROM yanlink_members WHERE openid = ? AND conversation > ? ORDER BY conversation LIMIT ?
		) AS page JOIN yanlink_members AS m ON m.openid = ? AND m.conversation = page.conversation
		JOIN yanlink_conversations AS c ON c.id = page.conversation ORDER BY m.conversation, m.joined_seq`
	err = s.query(ctx, func(rows scanner) error {
		var stay ws.Stay
		var c ws.Conversation
		err := rows.Scan(append(stayColumns(&stay), conversationColumns(&c)...)...)
		if n := len(list); n == 0 || list[n-1].Conversation.ID != c.ID {
			list = append(list, ws.Membership{Conversation: c})
		}
		last := &list[len(list)-1]
		last.Stays = append(last.Stays, stay)
		return err
	}, query, []byte(user), bounded(after), limit, []byte(user))
	return list, err
}

func staysTo(found *[]ws.Stay) func(rows scanner) error {
	return func(rows scanner) error {
		stay, err := scanStay(rows)
		*found = append(*found, stay)
		return err
	}
}

// Members implements ws.Reader.
func (s *Store) Members(ctx context.Context, id ws.ConversationID) (found []ws.Stay, err error) {
	query := "SELECT " + names(members.columns, "") + " FROM yanlink_members WHERE conversation = ? AND left_seq = 0 ORDER BY openid"
	err = s.query(ctx, staysTo(&found), query, bounded(id))
	return found, err
}

// CountMembers implements ws.Reader.
func (s *Store) CountMembers(ctx context.Context, id ws.ConversationID) (count int, err error) {
	err = s.query(ctx, func(rows scanner) error { return rows.Scan(&count) },
		"SELECT COUNT(*) FROM yanlink_members WHERE conversation = ? AND left_seq = 0", bounded(id))
	return count, err
}

// Stays implements ws.Reader.
func (s *Store) Stays(ctx context.Context, id ws.ConversationID, user string) (found []ws.Stay, err error) {
	query := "SELECT " + names(members.columns, "") + " FROM yanlink_members WHERE openid = ? AND conversation = ? ORDER BY joined_seq"
	err = s.query(ctx, staysTo(&found), query, []byte(user), bounded(id))
	return found, err
}

// Updated implements ws.Reader.
func (s *Store) Updated(ctx context.Context, since ws.Millis) (heads []ws.Head, err error) {
	query := "SELECT id, kind, conversation_key, last_seq, updated_at, members_version FROM yanlink_conversations WHERE updated_at >= ? AND last_seq > 0"
	err = s.query(ctx, func(rows scanner) error {
		var h ws.Head
		err := rows.Scan(number(&h.Conversation), number(&h.Kind), &h.Key, number(&h.Last), number(&h.UpdatedAt), number(&h.MembersVersion))
		heads = append(heads, h)
		return err
	}, query, int64(since))
	return heads, err
}

// positions reads where a device stands in the conversations for which condition holds.
func (s *Store) positions(ctx context.Context, device ws.DeviceRef, condition string, args ...any) (list []ws.Position, err error) {
	query := "SELECT " + names(members.columns, "m.") + ", " + names(conversations.columns, "c.") + `, k.seq, k.due_seq FROM yanlink_members AS m
		JOIN yanlink_conversations AS c ON c.id = m.conversation
		LEFT JOIN yanlink_cursors AS k ON k.openid = m.openid AND k.device = ? AND k.conversation = m.conversation
		WHERE m.openid = ? AND ` + condition + " ORDER BY m.conversation, m.joined_seq"
	args = append([]any{[]byte(device.Device), []byte(device.User)}, args...)
	err = s.query(ctx, func(rows scanner) error {
		var stay ws.Stay
		var c ws.Conversation
		var seq, due sql.NullInt64
		err := rows.Scan(append(append(stayColumns(&stay), conversationColumns(&c)...), &seq, &due)...)
		if n := len(list); n == 0 || list[n-1].Conversation.ID != c.ID {
			cursor := ws.Cursor{Conversation: c.ID, Seq: uint64(seq.Int64), Due: uint64(due.Int64)}
			if !seq.Valid {
				cursor.Seq = stay.Joined - 1
			}
			list = append(list, ws.Position{Conversation: c, Cursor: cursor})
		}
		last := &list[len(list)-1]
		last.Stays = append(last.Stays, stay)
		return err
	}, query, args...)
	return list, err
}

// Positions implements ws.Reader.
func (s *Store) Positions(ctx context.Context, device ws.DeviceRef, ids []ws.ConversationID) ([]ws.Position, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var numbers tuples
	for _, id := range ids {
		numbers.add(bounded(id))
	}
	condition, args := s.dialect.among(column{name: "m.conversation"}, numbers)
	return s.positions(ctx, device, condition, args...)
}

// behind holds for stays inside which something that is kept lies past the cursor.
const behind = `LEAST(c.last_seq, CASE WHEN m.left_seq = 0 THEN c.last_seq ELSE m.left_seq END) >
	GREATEST(COALESCE(k.seq, 0), c.first_seq - 1, m.joined_seq - 1)`

// Behind implements ws.Reader.
func (s *Store) Behind(ctx context.Context, device ws.DeviceRef, after ws.ConversationID, limit int) ([]ws.Position, error) {
	query := `SELECT DISTINCT m.conversation FROM yanlink_members AS m
		JOIN yanlink_conversations AS c ON c.id = m.conversation
		LEFT JOIN yanlink_cursors AS k ON k.openid = m.openid AND k.device = ? AND k.conversation = m.conversation
		WHERE m.openid = ? AND m.conversation > ? AND ` + behind + " ORDER BY m.conversation LIMIT ?"
	var ids []ws.ConversationID
	err := s.query(ctx, func(rows scanner) error {
		var id ws.ConversationID
		err := rows.Scan(number(&id))
		ids = append(ids, id)
		return err
	}, query, []byte(device.Device), []byte(device.User), bounded(after), limit)
	if err != nil {
		return nil, err
	}
	return s.Positions(ctx, device, ids)
}

// Lagging implements ws.Reader.
func (s *Store) Lagging(ctx context.Context, refs []ws.DeviceRef) (lagging []ws.DeviceRef, err error) {
	var keys tuples
	for _, ref := range refs {
		keys.add(ref.User, ref.Device)
	}
	err = s.read(ctx, func(ctx context.Context) error {
		return keys.chunks(func(part tuples) error {
			asked, args := s.dialect.table(devices.key(2), part)
			rows, err := s.db.QueryContext(ctx, s.dialect.bind("SELECT d.openid, d.device FROM "+asked+` AS d WHERE EXISTS (
				SELECT 1 FROM yanlink_members AS m JOIN yanlink_conversations AS c ON c.id = m.conversation
				LEFT JOIN yanlink_cursors AS k ON k.openid = d.openid AND k.device = d.device AND k.conversation = m.conversation
				WHERE m.openid = d.openid AND `+behind+")"), args...)
			return each(rows, err, func(rows scanner) error {
				var ref ws.DeviceRef
				err := rows.Scan(&ref.User, &ref.Device)
				lagging = append(lagging, ref)
				return err
			})
		})
	})
	return lagging, err
}
