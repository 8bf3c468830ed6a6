package ws

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	maxNames    = 100_000
	namesAtOnce = 500
	nameTimeout = 2 * time.Second
)

// names remembers display names for envelopes; what it does not know it reads from the ledger. It is safe for
// concurrent use and forgets at random beyond its bound.
type names struct {
	store Reader
	mu    sync.RWMutex
	names map[string]string
	stale map[string]bool // of names; they are read anew soon
	wake  chan struct{}
}

func newNames(store Reader) *names {
	return &names{store: store, names: make(map[string]string), stale: make(map[string]bool), wake: make(chan struct{}, 1)}
}

// put remembers a name that was just written or shown, and reports whether that is news here.
func (n *names) put(openID, name string) (news bool) {
	if name == "" {
		return false
	}
	n.mu.RLock()
	same := n.names[openID] == name
	n.mu.RUnlock()
	if !same {
		n.remember(openID, name)
	}
	return !same
}

// hint is what another node remembers of somebody, which may be older than what is remembered here.
func (n *names) hint(openID, name string) {
	if n.known(openID) == "" {
		n.put(openID, name)
	}
}

// doubt has the names of users read anew, of those that are remembered. Until then the old ones serve: whoever asks for one
// may be in front of all deliveries.
func (n *names) doubt(users []string) {
	n.mu.Lock()
	for _, user := range users {
		if _, ok := n.names[user]; ok {
			n.stale[user] = true
		}
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run reads names anew until ctx ends, many at a time.
func (n *names) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		for some := n.doubtful(); len(some) > 0 && ctx.Err() == nil; some = n.doubtful() {
			if err := n.refresh(ctx, some); err != nil {
				pauseContext(ctx, nameTimeout)
			}
		}
	}
}

// doubtful returns some names that are to be read anew.
func (n *names) doubtful() (users []string) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for user := range n.stale {
		if users = append(users, user); len(users) == namesAtOnce {
			break
		}
	}
	return users
}

// refresh reads the names of users. One that is put, or doubted again, meanwhile is not overwritten.
func (n *names) refresh(ctx context.Context, users []string) error {
	n.mu.Lock()
	for _, user := range users {
		delete(n.stale, user)
	}
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	found, err := n.store.Users(ctx, users)
	if err != nil {
		n.doubt(users)
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range found {
		if _, ok := n.names[found[i].OpenID]; ok && !n.stale[found[i].OpenID] {
			n.names[found[i].OpenID] = found[i].Name
		}
	}
	return nil
}

func (n *names) remember(openID, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.names) >= maxNames {
		for victim := range n.names {
			delete(n.names, victim)
			delete(n.stale, victim)
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

// next never goes back to an earlier second: one that asks late, or a clock that was set back, would be given an id twice.
func (ids *sessionIDs) next(openID string, now Millis) string {
	ids.mu.Lock()
	second := max(int64(now)/1000, ids.second)
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
