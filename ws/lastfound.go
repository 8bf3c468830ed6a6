package ws

import (
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// foundFor is for how long after the registry has said where a user is nobody has to be asked at once.
	foundFor = 10 * time.Second
	// presentFor is for how long after that somebody who was found on another node is taken to be there still.
	presentFor = 2 * time.Minute
	// maxFound is how many users' nodes are remembered at most; beyond it those who were found longest ago are forgotten.
	maxFound = 1 << 16
)

// post is a node in one of its lives.
type post struct {
	node        string
	incarnation uint64
}

// lastFound remembers on which other nodes users were. Its owner alone uses it, but for anywhere.
type lastFound struct {
	mu             sync.RWMutex     // of the maps; the owner reads them without it, as nobody else changes them
	recent, before map[string]found // two generations, of half of maxFound each
}

type found struct {
	posts []post
	until time.Time
}

func newLastFound() *lastFound { return &lastFound{recent: make(map[string]found)} }

func (l *lastFound) at(user string) found {
	if at, ok := l.recent[user]; ok {
		return at
	}
	return l.before[user]
}

// anywhere reports whether a user was found on another node lately. Safe for concurrent use.
func (l *lastFound) anywhere(user string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at := l.at(user)
	return len(at.posts) > 0 && time.Now().Before(at.until.Add(presentFor))
}

// of returns where users were last found, and whether each of them was looked for lately.
func (l *lastFound) of(users []string) (posts map[string][]post, lately bool) {
	now := time.Now()
	posts, lately = make(map[string][]post, len(users)), true
	for _, user := range users {
		at := l.at(user)
		if len(at.posts) > 0 {
			posts[user] = at.posts
		}
		lately = lately && now.Before(at.until)
	}
	return posts, lately
}

// update takes over where users are now, and returns where they were not known to be.
func (l *lastFound) update(users []string, now map[string][]post) (besides map[string][]post) {
	besides = make(map[string][]post)
	until := time.Now().Add(foundFor)
	for _, user := range users {
		known := l.at(user).posts
		for _, at := range now[user] {
			if !slices.Contains(known, at) {
				besides[user] = append(besides[user], at)
			}
		}
		l.put(strings.Clone(user), found{now[user], until}) // which may be a part of a frame, all of which it would keep
	}
	return besides
}

func (l *lastFound) put(user string, at found) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) == maxFound/2 {
		l.before, l.recent = l.recent, make(map[string]found)
	}
	l.recent[user] = at
}
