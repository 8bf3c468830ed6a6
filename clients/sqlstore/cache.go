package sqlstore

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/yanlink/yanlink/ws"
)

// How much is remembered between batches. While the server keeps what it has committed, nothing of it can become wrong: a
// name keeps its number for ever, and a list of members is used only for the version it is of.
const (
	namesKept = 1 << 17
	// listedKept bounds the members in all lists together.
	listedKept = 1 << 20
)

// nameCache remembers the numbers of conversations by their names.
type nameCache = lru.Cache[nameRef, ws.ConversationID]

func newNameCache() *nameCache {
	c, err := lru.New[nameRef, ws.ConversationID](namesKept)
	if err != nil {
		panic(err) // the size is a constant
	}
	return c
}

// memberList is who the members are at one version of a conversation.
type memberList struct {
	version uint64
	users   []string
}

// listCache remembers lists of members, the system conversation's among them, which may be long.
type listCache struct {
	mu     sync.Mutex
	lists  map[ws.ConversationID]memberList
	listed int
}

func newListCache() *listCache { return &listCache{lists: map[ws.ConversationID]memberList{}} }

func (c *listCache) get(id ws.ConversationID, version uint64) ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, ok := c.lists[id]
	if !ok || list.version != version {
		return nil, false
	}
	return list.users, true
}

// put remembers a list, which nobody changes any more, and forgets others while there are too many.
func (c *listCache) put(id ws.ConversationID, version uint64, users []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.lists[id]; ok {
		if old.version > version {
			return
		}
		c.listed -= len(old.users)
	}
	c.lists[id] = memberList{version, users}
	c.listed += len(users)
	for other, list := range c.lists {
		if c.listed <= listedKept {
			break
		}
		if other != id { // a random one, as maps iterate at random
			c.listed -= len(list.users)
			delete(c.lists, other)
		}
	}
}

func (c *listCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.lists)
	c.listed = 0
}
