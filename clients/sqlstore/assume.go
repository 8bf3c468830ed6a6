package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// assumption is what a batch takes to be so because the store remembers it. The server holds the commit against it.
type assumption struct {
	conversations map[ws.ConversationID]ws.Conversation // those that get messages
	cursors       map[cursorRef]cursor                  // those that move, which are all of the batch
	ends          map[ws.ConversationID]uint64          // positions that conversations have come to at least
	senders       map[string]bool                       // nobody of them is banned
}

// assume commits a batch of messages and acknowledgements in one trip, if all that it needs is remembered. It is not done if
// something is not, or not so any more; nothing of it holds then.
func (s *Store) assume(ctx context.Context, ops []ws.Op, w *writer) (done bool, err error) {
	if !onlyMessages(ops) || !s.memory.trusted() {
		return false, nil
	}
	p := newPlan(ops)
	if err := s.resolve(ctx, p); err != nil {
		return false, err
	}
	p.messages(ops)
	v := s.assumed(p, ops)
	if v == nil {
		return false, nil
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.rollbackOnPanic()
	err = s.finish(ctx, tx, v, w)
	switch {
	case err == nil:
		s.memory.right()
		s.memory.remember(v)
		return true, nil
	case w.lost || ctx.Err() != nil:
		return false, err
	}
	s.mistaken(v.assumed, err)
	return false, nil
}

// mistaken takes account of why a batch did not hold that was assumed.
func (s *Store) mistaken(a *assumption, err error) {
	s.memory.wrong()
	switch {
	case s.dialect.differs(err):
		s.memory.doubt(a)
	case s.dialect.again(err): // a repeat, or a batch that stood in the way
	default:
		s.log.Warn("a commit from memory failed, and is made from what is read", "error", err)
		if !s.dialect.refused(err) {
			s.forget()
		}
	}
}

// assumed applies ops to what is remembered; nil if that is not enough, or an op is refused, for which it does not vouch.
func (s *Store) assumed(p *plan, ops []ws.Op) *view {
	v := newView(p)
	v.assumed = &assumption{
		conversations: map[ws.ConversationID]ws.Conversation{}, cursors: map[cursorRef]cursor{}, ends: map[ws.ConversationID]uint64{},
		senders: map[string]bool{},
	}
	v.dedups.whole = func(dedupRef) bool { return true } // one that is there lets the INSERT fail
	if !v.fill(s.memory, s.lists) || v.apply(ops) != nil || v.lacking || v.unchanged() {
		return nil
	}
	for _, op := range ops {
		if op.Result().Err != nil {
			return nil
		}
		if send, ok := op.(*ws.Send); ok {
			v.assumed.senders[send.Record.Sender] = true
		}
	}
	if len(v.cursors.dirty) < len(v.assumed.cursors) {
		return nil // one that does not move would not be compared
	}
	return v
}

// onlyMessages reports whether there are no ops but messages and acknowledgements, which are all that the memory is for.
func onlyMessages(ops []ws.Op) bool {
	if len(ops) > chunkRows {
		return false
	}
	for _, op := range ops {
		switch op.(type) {
		case *ws.Send, *ws.Ack:
		default:
			return false
		}
	}
	return true
}

// fill fills the view with what is remembered, and reports whether that is all that the plan wants.
func (v *view) fill(m *memory, lists *listCache) bool {
	for id, lock := range v.plan.conversations {
		if !lock {
			continue // an acknowledgement's: see reaches
		}
		c, ok := m.conversations.Get(id)
		if !ok || c.doubted {
			return false
		}
		v.addConversation(&c.Conversation, true)
		v.assumed.conversations[id] = c.Conversation
		if list, ok := lists.get(id, c.MembersVersion); ok {
			v.lists[id] = list
		}
	}
	for openID := range v.plan.users {
		if _, ok := m.users.Get(openID); !ok {
			return false
		}
		v.users.load(openID, user{User: ws.User{OpenID: openID}}, false)
	}
	for ref := range v.plan.cursors {
		c, ok := m.cursors.Get(ref)
		if !ok {
			return false
		}
		v.cursors.load(ref, progress{cursor: c}, true)
		v.assumed.cursors[ref] = c
	}
	return true
}

// reaches reports whether a conversation has come to seq. Of one that was not read the server is to say, as assumed.
func (v *view) reaches(id ws.ConversationID, seq uint64) bool {
	if _, known := v.conversations.rows[id]; v.assumed != nil && !known {
		v.assumed.ends[id] = max(v.assumed.ends[id], seq)
		return true
	}
	return seq <= v.conversations.get(id).val.Last
}

// writeAssumed writes what the batch has changed, if what it assumed is so and the writer's row as it was left. Rows are locked in the
// order in which other batches lock them.
func (tx *transaction) writeAssumed(v *view, w *writer) error {
	if err := tx.exec(tx.dialect.bind(signing+" AND batch = ?"), append(w.signature(), w.signed)...); err != nil {
		return err
	}
	given, err := tx.amend(v.amendedConversations(), "")
	if err != nil {
		return err
	}
	if given, err = tx.amend(v.amendedCursors(), given); err != nil {
		return err
	}
	if err := tx.compare(v.assumed, w, given); err != nil {
		return err
	}
	for _, step := range []func(v *view) error{tx.writeReceipts, tx.writeRecords, tx.writeDedups, tx.writeEvents} {
		if err := step(v); err != nil {
			return err
		}
	}
	return nil
}

// amend makes an amendment if the condition given holds, and returns the one by which the next statement can tell that it was made.
func (tx *transaction) amend(a *amendment, given string) (then string, err error) {
	if a.rows.len() == 0 {
		return given, nil
	}
	query, args, then := tx.dialect.amend(a, given)
	return then, tx.exec(tx.dialect.bind(query), args...)
}

// amendedConversations leaves what others may have changed beside the head alone.
func (v *view) amendedConversations() *amendment {
	a := &amendment{of: conversations, set: headSet, held: headHeld}
	for _, r := range v.conversations.there(cmp.Compare) {
		old := v.assumed.conversations[r.key]
		a.rows.add(int64(r.key), int64(r.val.Last), int64(r.val.UpdatedAt), int64(old.Last), int64(old.MembersVersion))
	}
	return a
}

func (v *view) amendedCursors() *amendment {
	a := &amendment{of: cursors, set: cursorAt, held: cursorAt}
	for _, r := range v.cursors.there(compareCursors) {
		c, old := r.val.written(), v.assumed.cursors[r.key]
		a.rows.add(r.key.User, r.key.Device, int64(r.key.id), int64(c.Seq), int64(c.Due), int64(c.covered), int64(old.Seq), int64(old.Due), int64(old.covered))
	}
	return a
}

// compare lets the transaction fail unless the condition given holds, the writer has signed, and what is only read is as assumed.
func (tx *transaction) compare(a *assumption, w *writer, given string) error {
	conditions := []string{"EXISTS (SELECT 1 FROM yanlink_writers WHERE id = ? AND batch = ?)"}
	args := []any{w.id[:], w.batch}
	if given != "" {
		conditions = slices.Insert(conditions, 0, given)
	}
	if len(a.senders) > 0 {
		var keys tuples
		for _, sender := range slices.Sorted(maps.Keys(a.senders)) {
			keys.add(sender)
		}
		condition, senders := tx.dialect.among(users.columns[0], keys)
		conditions = append(conditions, "NOT EXISTS (SELECT 1 FROM yanlink_users WHERE "+condition+" AND banned)")
		args = append(args, senders...)
	}
	if len(a.ends) > 0 {
		var ends tuples
		for _, id := range slices.Sorted(maps.Keys(a.ends)) {
			ends.add(int64(id), bounded(a.ends[id]))
		}
		table, positions := tx.dialect.table(endOf, ends)
		conditions = append(conditions, "(SELECT COUNT(*) FROM "+table+" AS k JOIN yanlink_conversations AS c ON c.id = k.id AND c.last_seq >= k.last_seq) = ?")
		args = append(append(args, positions...), int64(ends.len()))
	}
	return tx.exec(tx.dialect.bind(tx.dialect.insist(strings.Join(conditions, " AND "))), args...)
}
