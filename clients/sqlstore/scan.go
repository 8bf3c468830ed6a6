package sqlstore

import (
	"database/sql"
	"fmt"

	"github.com/yanlink/yanlink/ws"
)

// whole is any of the integer types of the contract.
type whole interface {
	~uint8 | ~uint32 | ~uint64 | ~int64
}

// numberTo scans an integer of the database, which knows signed ones only.
type numberTo[T whole] struct{ to *T }

// Scan implements sql.Scanner.
func (n numberTo[T]) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("sqlstore: an integer came as %T", value)
	}
	*n.to = T(v)
	return nil
}

func number[T whole](to *T) sql.Scanner { return numberTo[T]{to} }

// hashTo scans bytes of fixed length.
type hashTo struct{ to []byte }

// Scan implements sql.Scanner.
func (h hashTo) Scan(value any) error {
	b, ok := value.([]byte)
	if !ok || len(b) != len(h.to) {
		return fmt.Errorf("sqlstore: %d bytes came as %T", len(h.to), value)
	}
	copy(h.to, b)
	return nil
}

// The functions of this file scan one row each, of all columns of its relation.

func scanUser(rows scanner) (u user, err error) {
	err = rows.Scan(&u.OpenID, &u.Name, number(&u.FirstSeen), number(&u.LastSeen), number(&u.TokenEpoch), number(&u.revokedAt), &u.Banned)
	return u, err
}

func scanDevice(rows scanner) (d ws.Device, err error) {
	var ephemeral bool
	err = rows.Scan(&d.User, &d.Name, number(&d.Epoch), number(&d.CreatedAt), number(&d.LastSeen), &ephemeral)
	return d, err
}

func scanToken(rows scanner) (t ws.Token, err error) {
	err = rows.Scan(hashTo{t.Hash[:]}, &t.OpenID, number(&t.Epoch), number(&t.ExpiresAt))
	return t, err
}

// conversationColumns are where a conversation's columns go.
func conversationColumns(c *ws.Conversation) []any {
	return []any{
		number(&c.ID), number(&c.Kind), &c.Key, &c.Name, number(&c.First), number(&c.Last), number(&c.MembersVersion), number(&c.CreatedAt),
		number(&c.UpdatedAt),
	}
}

func scanConversation(rows scanner) (c ws.Conversation, err error) {
	err = rows.Scan(conversationColumns(&c)...)
	return c, err
}

// stayColumns are where a stay's columns go.
func stayColumns(s *ws.Stay) []any {
	return []any{
		&s.User, number(&s.Conversation), number(&s.Joined), number(&s.Left), number(&s.Role), number(&s.Delivered), number(&s.Read),
		number(&s.ReadAt),
	}
}

func scanStay(rows scanner) (s ws.Stay, err error) {
	err = rows.Scan(stayColumns(&s)...)
	return s, err
}

func scanRecord(rows scanner) (r record, err error) {
	var size uint32
	err = rows.Scan(
		number(&r.Conversation), number(&r.Seq), number(&r.Kind), &r.Sender, &r.SenderDevice, &r.MsgID, hashTo{r.RequestID[:]}, &r.Node,
		&r.Body, number(&size), number(&r.FileType), number(&r.Trigger), number(&r.Target), &r.Subject, number(&r.CreatedAt),
		number(&r.ExpireAt), number(&r.RecalledAt), number(&r.recall),
	)
	return r, err
}

func scanDedup(rows scanner) (ref dedupRef, v dedup, err error) {
	err = rows.Scan(number(&ref.id), &ref.sender, &ref.msgid, number(&v.state), number(&v.n), number(&v.hash))
	return ref, v, err
}

func scanCursor(rows scanner) (ref cursorRef, c cursor, err error) {
	err = rows.Scan(&ref.User, &ref.Device, number(&ref.id), number(&c.Seq), number(&c.Due), number(&c.covered))
	c.Conversation = ref.id
	return ref, c, err
}

func scanReceipt(rows scanner) (r ws.Receipt, err error) {
	err = rows.Scan(
		number(&r.Conversation), &r.User, &r.Device, number(&r.From), number(&r.To), &r.Node, number(&r.Attempts), number(&r.At),
	)
	return r, err
}

func scanScheduled(rows scanner) (s ws.Scheduled, err error) {
	d := &s.Draft
	err = rows.Scan(
		number(&s.ID), number(&s.DueAt), &s.To, number(&s.Group), number(&s.TTL), &d.Sender, &d.SenderDevice, &d.MsgID, hashTo{d.RequestID[:]},
		&d.Node, &d.Body, number(&d.FileType), number(&d.Trigger),
	)
	d.Kind = ws.KindMessage
	return s, err
}

func scanEvent(rows scanner) (e ws.Event, err error) {
	err = rows.Scan(
		number(&e.ID), &e.Topic, &e.Key, &e.Payload, number(&e.State), number(&e.Attempts), number(&e.NextAttemptAt),
	)
	return e, err
}

func scanLease(rows scanner) (name string, l lease, err error) {
	err = rows.Scan(&name, &l.holder, number(&l.until))
	return name, l, err
}
