package ws

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	maxNames    = 100_000
	nameTimeout = 2 * time.Second
)

// names remembers display names for envelopes; what it does not know it reads from the ledger. It is safe for
// concurrent use and forgets at random beyond its bound.
type names struct {
	store Reader
	mu    sync.RWMutex
	names map[string]string
}

func newNames(store Reader) *names { return &names{store: store, names: make(map[string]string)} }

func (n *names) put(openID, name string) {
	if name == "" {
		return
	}
	n.mu.RLock()
	same := n.names[openID] == name
	n.mu.RUnlock()
	if !same {
		n.remember(openID, name)
	}
}

func (n *names) remember(openID, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.names) >= maxNames {
		for victim := range n.names {
			delete(n.names, victim)
			break
		}
	}
	n.names[openID] = name
}

// known returns the user's name if it is remembered.
func (n *names) known(openID string) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.names[openID]
}

// of returns the user's name; empty if nobody knows it.
func (n *names) of(openID string) string {
	n.mu.RLock()
	name, ok := n.names[openID]
	n.mu.RUnlock()
	if ok {
		return name
	}
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	user, err := n.store.User(ctx, openID)
	if err != nil {
		return ""
	}
	n.remember(openID, user.Name)
	return user.Name
}

// sessionIDs gives out session ids: <ip>:<port>_<openid>_<yyyyMMddHHmmss>, with -2, -3 … for more in one second.
type sessionIDs struct {
	advertise string
	zone      *time.Location
	mu        sync.Mutex
	second    int64
	given     map[string]int
}

func (ids *sessionIDs) next(openID string, now Millis) string {
	second := int64(now) / 1000
	ids.mu.Lock()
	if second != ids.second {
		ids.second = second
		ids.given = make(map[string]int)
	}
	ids.given[openID]++
	n := ids.given[openID]
	ids.mu.Unlock()
	id := ids.advertise + "_" + openID + "_" + time.Unix(second, 0).In(ids.zone).Format("20060102150405")
	if n > 1 {
		id += fmt.Sprintf("-%d", n)
	}
	return id
}
