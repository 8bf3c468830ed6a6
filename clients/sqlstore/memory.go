package sqlstore

import (
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/yanlink/yanlink/ws"
)

// rowsKept is how many rows of each kind the memory holds: some 50 MB, when all are full.
const rowsKept = 1 << 16

// How many batches are not assumed after an assumption that was wrong: twice as many as after the one before it, if that was wrong too.
const (
	leastMistrust = 8
	mostMistrust  = 512
)

// memory is rows as this store last saw or wrote them. Others may have changed them since, so that a batch that builds on them has
// the server compare. It is safe for concurrent use.
type memory struct {
	conversations *lru.Cache[ws.ConversationID, conversation]
	users         *lru.Cache[string, user]
	cursors       *lru.Cache[cursorRef, cursor]

	mu       sync.Mutex
	mistrust int // after how many batches one is assumed again, since the last assumption was wrong; 0: it was right
	left     int // of those
}

func newMemory() *memory {
	return &memory{conversations: newRows[ws.ConversationID, conversation](), users: newRows[string, user](), cursors: newRows[cursorRef, cursor]()}
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

// wrong forgets what a batch assumed: something of it is not so any more.
func (m *memory) wrong(a *assumption) {
	m.mu.Lock()
	m.mistrust = min(max(2*m.mistrust, leastMistrust), mostMistrust)
	m.left = m.mistrust
	m.mu.Unlock()
	for id := range a.conversations {
		m.conversations.Remove(id)
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
	for id, c := range v.conversations.rows {
		if c.exists && c.locked {
			val := c.val
			if val.Kind != ws.Direct {
				val.members = nil // listCache has them, as many as it may
			}
			m.conversations.Add(id, val)
		}
	}
	for openID, u := range v.users.rows {
		if u.exists && u.stored && !u.locked {
			addOwn(m.users, openID, u.val, strings.Clone)
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
