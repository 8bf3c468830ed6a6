package sqlstore

import "github.com/yanlink/yanlink/ws"

// The functions of this file add one row each, with all columns of its relation.

func (t *tuples) addConversation(c *ws.Conversation) {
	t.add(int64(c.ID), int64(c.Kind), c.Key, c.Name, int64(c.First), int64(c.Last), int64(c.MembersVersion), int64(c.CreatedAt), int64(c.UpdatedAt))
}

func (t *tuples) addUser(u *ws.User, revokedAt ws.Millis) {
	t.add(u.OpenID, u.Name, int64(u.FirstSeen), int64(u.LastSeen), int64(u.TokenEpoch), int64(revokedAt), u.Banned)
}

func (t *tuples) addDevice(d *ws.Device) {
	t.add(d.User, d.Name, int64(d.Epoch), int64(d.CreatedAt), int64(d.LastSeen), d.Ephemeral())
}

func (t *tuples) addToken(token *ws.Token) {
	t.add(token.Hash[:], token.OpenID, int64(token.Epoch), int64(token.ExpiresAt))
}

func (t *tuples) addStay(s *ws.Stay) {
	t.add(s.User, int64(s.Conversation), int64(s.Joined), int64(s.Left), int64(s.Role), int64(s.Delivered), int64(s.Read), int64(s.ReadAt))
}

func (t *tuples) addCursor(device ws.DeviceRef, c *ws.Cursor, covered uint64) {
	t.add(device.User, device.Device, int64(c.Conversation), int64(c.Seq), int64(c.Due), int64(covered))
}

func (t *tuples) addReceipt(r *ws.Receipt) {
	t.add(int64(r.Conversation), r.User, r.Device, int64(r.From), int64(r.To), r.Node, int64(r.Attempts), int64(r.At))
}

func (t *tuples) addRecord(m *ws.Record, recall uint64) {
	t.add(int64(m.Conversation), int64(m.Seq), int64(m.Kind), m.Sender, m.SenderDevice, m.MsgID, m.RequestID[:], m.Node, m.Body, int64(len(m.Body)),
		int64(m.FileType), int64(m.Trigger), int64(m.Target), m.Subject, int64(m.CreatedAt), int64(m.ExpireAt), int64(m.RecalledAt), int64(recall))
}

func (t *tuples) addDedup(key dedupRef, v dedup) {
	t.add(int64(key.id), key.sender, key.msgid, int64(v.state), int64(v.n), int64(v.hash))
}

func (t *tuples) addScheduled(s *ws.Scheduled) {
	d := &s.Draft
	t.add(int64(s.ID), int64(s.DueAt), s.To, int64(s.Group), s.TTL, d.Sender, d.SenderDevice, d.MsgID, d.RequestID[:], d.Node, d.Body,
		int64(d.FileType), int64(d.Trigger))
}

func (t *tuples) addEvent(e *ws.Event) {
	t.add(int64(e.ID), e.Topic, e.Key, e.Payload, int64(e.State), int64(e.Attempts), int64(e.NextAttemptAt))
}
