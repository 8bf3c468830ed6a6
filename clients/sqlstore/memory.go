package sqlstore

import (
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/yanlink/yanlink/ws"
)

// rowsKept is how many rows of each kind the memory holds: some 50 MB, when all are full and keys are long.
const rowsKept = 1 << 16

// How many batches are not assumed after an assumption that was wrong: twice as many as after the one before it, if that was wrong too.
const (
	leastMistrust = 8
	mostMistrust  = 512
)

// memory is rows as this store last saw or wrote them. Others may have changed them since, so that a batch that builds on them has
// the server compare. It is safe for concurrent use.
type memory struct {
	conversations *lru.Cache[ws.ConversationID, remembered]
	users         *lru.Cache[string, struct{}] // who is known and was not banned
	cursors       *lru.Cache[cursorRef, cursor]

	mu       sync.Mutex
	mistrust int // after how many batches one is assumed again, since the last assumption was wrong; 0: it was right
	left     int // of those
}

// remembered is a conversation without its name and members.
type remembered struct {
	ws.Conversation
	doubted bool // others write there too: its head moved since this store wrote there, or may have
}

func newMemory() *memory {
	return &memory{
		conversations: newRows[ws.ConversationID, remembered](), users: newRows[string, struct{}](), cursors: newRows[cursorRef, cursor](),
	}
}

func newRows[K comparable, V any]() *lru.Cache[K, V] {
	c, err := lru.New[K, V](rowsKept)
	if err != nil {
		panic(err) // the size is a constant
	}
	return c
}

// trusted reports whether the next batch may be assumed.
func (m *memory) trusted() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return true
	}
	m.left--
	return false
}

// right notes that what a batch assumed was so.
func (m *memory) right() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mistrust = 0
}

// wrong notes that a batch that was assumed did not hold.
func (m *memory) wrong() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mistrust = min(max(2*m.mistrust, leastMistrust), mostMistrust)
	m.left = m.mistrust
}

// doubt is about what a batch assumed, of which something is not so any more: what is read next tells.
func (m *memory) doubt(a *assumption) {
	for id := range a.conversations {
		if c, ok := m.conversations.Get(id); ok {
			c.doubted = true
			m.conversations.Add(id, c)
		}
	}
	for openID := range a.senders {
		m.users.Remove(openID)
	}
	for ref := range a.cursors {
		m.cursors.Remove(ref)
	}
}

// forget forgets everything.
func (m *memory) forget() {
	m.conversations.Purge()
	m.users.Purge()
	m.cursors.Purge()
}

// remember keeps what a committed batch has read and written of messages and acknowledgements.
func (m *memory) remember(v *view) {
	for _, c := range v.conversations.rows {
		if c.exists {
			m.rememberConversation(v, c)
		}
	}
	for openID, u := range v.users.rows {
		switch {
		case u.dirty || u.val.Banned:
			m.users.Remove(openID)
		case u.stored && !u.locked:
			addOwn(m.users, openID, struct{}{}, strings.Clone)
		}
	}
	for ref, c := range v.cursors.rows {
		switch {
		case c.exists && (c.locked || c.dirty):
			addOwn(m.cursors, ref, c.val.written(), cursorRef.clone)
		case c.gone:
			m.cursors.Remove(ref)
		}
	}
	if v.assumed != nil {
		for id, seq := range v.assumed.ends {
			m.raise(id, seq)
		}
	}
}

// rememberConversation remembers one that the batch has written to, and how far one has come that it only acknowledged in.
func (m *memory) rememberConversation(v *view, c *row[ws.ConversationID, conversation]) {
	if !c.locked {
		m.raise(c.key, c.val.Last)
		return
	}
	now := remembered{Conversation: c.val.Conversation}
	now.Name = ""
	before, known := m.conversations.Get(c.key)
	if known {
		now.Key, now.doubted = before.Key, before.Last != v.heads[c.key]
	} else {
		now.Key = strings.Clone(now.Key)
	}
	m.conversations.Add(c.key, now)
}

// raise notes that a conversation has come to seq: who acknowledges what comes from another node is likely to answer.
func (m *memory) raise(id ws.ConversationID, seq uint64) {
	if c, ok := m.conversations.Get(id); ok && c.Last < seq {
		c.Last = seq
		m.conversations.Add(id, c)
	}
}

// addOwn adds a row, at first with a key of its own: that of an op may be a part of something large.
func addOwn[K comparable, V any](c *lru.Cache[K, V], key K, val V, clone func(K) K) {
	if !c.Contains(key) {
		key = clone(key)
	}
	c.Add(key, val)
}

func (r cursorRef) clone() cursorRef {
	return cursorRef{ws.DeviceRef{User: strings.Clone(r.User), Device: strings.Clone(r.Device)}, r.id}
}
