package sqlstore

import (
	"cmp"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// load locks and reads what the plan says: first all locks, in the one order that every batch keeps, then the rest.
func (s *Store) load(tx *transaction, p *plan, w *writer) (*view, error) {
	l := &loader{transaction: tx, view: newView(p), lists: s.lists}
	steps := []func() error{
		func() error { return l.lockWriter(w) },
		func() error { return l.readConversations(true) },
		func() error { return l.readUsers(true) },
		func() error { return l.readStays(true) },
		l.lockCursors, l.lockEvents, l.lockLeases,
		func() error { return l.readConversations(false) },
		func() error { return l.readUsers(false) },
		func() error { return l.readStays(false) },
		l.readPeople, l.readTokens, l.readDedups, l.readRecords, l.readScheduled, l.readReceipts, l.answer,
		func() error { return l.haveWriter(w) },
		l.readCovered, l.readMembers, // what these have to read, the rest tells
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return l.view, nil
}

type loader struct {
	*transaction
	*view
	lists     *listCache
	enrolled  bool   // the writer's row is there
	uncovered tuples // keys of cursors that are not there
}

// sorted returns the keys that are wanted locked, or those that are not, in order.
func sorted[K comparable](w wants[K], locked bool, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(w))
	for key, lock := range w {
		if lock == locked {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compare)
	return keys
}

func (l *loader) readConversations(lock bool) error {
	var keys tuples
	ids := sorted(l.plan.conversations, lock, cmp.Compare)
	for _, id := range ids {
		keys.add(int64(id))
	}
	err := l.seek(conversations, conversations.key(1), &keys, lock, func(rows scanner) error {
		c, err := scanConversation(rows)
		l.addConversation(&c, lock)
		return err
	})
	l.answered(func() {
		for _, id := range ids {
			l.conversations.absent(id)
		}
	})
	return err
}

// addConversation adds a conversation that was read, or is remembered.
func (v *view) addConversation(c *ws.Conversation, locked bool) {
	v.conversations.load(c.ID, conversation{Conversation: *c}, locked).exists = isThere(c)
	if locked {
		v.heads[c.ID] = c.Last
	}
}

// isThere reports whether a conversation is there, and not only a number that is kept for it.
func isThere(c *ws.Conversation) bool { return c.MembersVersion > 0 || c.Kind == ws.System }

func (l *loader) readUsers(lock bool) error {
	var keys tuples
	openIDs := sorted(l.plan.users, lock, cmp.Compare)
	for _, openID := range openIDs {
		keys.add(openID)
	}
	err := l.seek(users, users.key(1), &keys, lock, func(rows scanner) error {
		u, err := scanUser(rows)
		l.users.load(u.OpenID, u, lock)
		return err
	})
	l.answered(func() {
		for _, openID := range openIDs {
			l.users.absent(openID)
		}
	})
	return err
}

func (l *loader) readStays(lock bool) error {
	var keys tuples
	refs := sorted(l.plan.stays, lock, func(a, b stayRef) int { return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.id, b.id)) })
	for _, ref := range refs {
		keys.add(ref.user, int64(ref.id))
	}
	err := l.seek(members, members.key(2), &keys, lock, func(rows scanner) error { return l.addStay(rows, lock) })
	l.answered(func() {
		for _, ref := range refs {
			l.stays.absent(ref)
		}
	})
	return err
}

// addStay adds a stay that was read; those of one user and conversation come in order.
func (l *loader) addStay(rows scanner, lock bool) error {
	stay, err := scanStay(rows)
	if err != nil {
		return err
	}
	ref := stayRef{stay.User, stay.Conversation}
	r, ok := l.stays.rows[ref]
	if !ok || !r.stored {
		r = l.stays.load(ref, nil, lock)
		person := l.person(ref.user)
		person.stays = append(person.stays, r)
	}
	if r.locked == lock {
		at, found := slices.BinarySearchFunc(r.val, stay.Joined, func(s ws.Stay, joined uint64) int { return cmp.Compare(s.Joined, joined) })
		if !found {
			r.val = slices.Insert(r.val, at, stay)
		}
	}
	return nil
}

func compareCursors(a, b cursorRef) int {
	return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Device, b.Device), cmp.Compare(a.id, b.id))
}

func (l *loader) lockCursors() error {
	var keys tuples
	refs := sorted(l.plan.cursors, true, compareCursors)
	for _, ref := range refs {
		keys.add(ref.User, ref.Device, int64(ref.id))
	}
	err := l.seek(cursors, cursors.key(3), &keys, true, func(rows scanner) error {
		ref, c, err := scanCursor(rows)
		l.cursors.load(ref, progress{cursor: c}, true)
		return err
	})
	l.answered(func() {
		for _, ref := range refs {
			if _, ok := l.cursors.rows[ref]; !ok {
				l.cursors.absent(ref)
				l.uncovered.add(int64(ref.id), ref.User, ref.Device)
			}
		}
	})
	return err
}

func (l *loader) lockEvents() error {
	var keys tuples
	ids := sorted(l.plan.events, true, cmp.Compare)
	for _, id := range ids {
		keys.add(int64(id))
	}
	err := l.seek(events, events.key(1), &keys, true, func(rows scanner) error {
		e, err := scanEvent(rows)
		l.events.load(e.ID, e, true)
		return err
	})
	l.answered(func() {
		for _, id := range ids {
			l.events.absent(id)
		}
	})
	return err
}

func (l *loader) lockLeases() error {
	var keys tuples
	held := sorted(l.plan.leases, true, strings.Compare)
	for _, name := range held {
		keys.add(name)
	}
	err := l.seek(leases, leases.key(1), &keys, true, func(rows scanner) error {
		name, v, err := scanLease(rows)
		l.leases.load(name, v, true)
		return err
	})
	l.answered(func() {
		for _, name := range held {
			l.leases.absent(name)
		}
	})
	return err
}
